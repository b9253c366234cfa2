#include "syncrelay/ws/admission.h"

namespace syncrelay {

Result<Admission::Seat, RefusalReason> Admission::enter(std::string_view address) {
  if (clients_.fetch_add(1) >= limits_.clients) {
    clients_.fetch_sub(1);
    return RefusalReason::max_clients;
  }
  if (limits_.clients_per_address == 0) return Seat(*this, nullptr, {++last_id_});
  const std::lock_guard lock(mutex_);
  const auto entry = by_address_.try_emplace(std::string(address), 0).first;
  if (entry->second >= limits_.clients_per_address) {
    clients_.fetch_sub(1);
    return RefusalReason::max_clients_per_address;
  }
  ++entry->second;
  return Seat(*this, &*entry, {++last_id_});
}

void Admission::leave(Addresses::pointer address) {
  clients_.fetch_sub(1);
  if (address == nullptr) return;
  const std::lock_guard lock(mutex_);
  if (--address->second == 0) by_address_.erase(by_address_.find(address->first));
}

}  // namespace syncrelay
