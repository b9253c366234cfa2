#include "syncrelay/ws/admission.h"

namespace syncrelay {

std::optional<RefusalReason> Admission::enter(std::string_view address) {
  if (clients_.fetch_add(1) >= limits_.clients) {
    clients_.fetch_sub(1);
    return RefusalReason::max_clients;
  }
  if (limits_.clients_per_address == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto entry = by_address_.try_emplace(std::string(address), 0).first;
  if (entry->second >= limits_.clients_per_address) {
    clients_.fetch_sub(1);
    return RefusalReason::max_clients_per_address;
  }
  ++entry->second;
  return std::nullopt;
}

void Admission::leave(std::string_view address) {
  clients_.fetch_sub(1);
  if (limits_.clients_per_address == 0) return;
  const std::lock_guard lock(mutex_);
  const auto entry = by_address_.find(std::string(address));
  if (--entry->second == 0) by_address_.erase(entry);
}

}  // namespace syncrelay
