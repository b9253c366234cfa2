#include "syncrelay/ws/connect_rate.h"

#include <algorithm>
#include <chrono>

namespace syncrelay {
namespace {

constexpr Duration kBurst = std::chrono::seconds(10);  // whose upgrades may come at once

}  // namespace

ConnectRate::ConnectRate(std::uint32_t per_second, std::size_t max_addresses)
    : interval_(Duration(std::chrono::seconds(1)) / per_second), max_addresses_(max_addresses) {}

bool ConnectRate::allows(std::string_view address, TimePoint now) {
  const std::lock_guard lock(mutex_);
  Bucket& bucket = *touch(address, now);
  const TimePoint full_at = std::max(bucket.full_at, now) + interval_;
  if (full_at > now + kBurst) return false;
  bucket.full_at = full_at;
  return true;
}

std::size_t ConnectRate::addresses() {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

ConnectRate::Buckets::iterator ConnectRate::touch(std::string_view address, TimePoint now) {
  if (const auto found = by_address_.find(address); found != by_address_.end()) {
    buckets_.splice(buckets_.end(), buckets_, found->second);
    return found->second;
  }
  forget_some(now);
  const auto made = buckets_.insert(buckets_.end(), {std::string(address), now});
  by_address_.emplace(made->address, made);
  return made;
}

// Two for each that is made, so that those go that are not needed, in no long step.
void ConnectRate::forget_some(TimePoint now) {
  for (int time = 0; time < 2 && !buckets_.empty(); ++time) {
    if (buckets_.front().full_at <= now) forget_first();
  }
  if (buckets_.size() >= max_addresses_) forget_first();
}

void ConnectRate::forget_first() {
  by_address_.erase(buckets_.front().address);
  buckets_.pop_front();
}

}  // namespace syncrelay
