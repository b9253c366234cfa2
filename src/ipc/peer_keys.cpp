#include "syncrelay/ipc/peer_keys.h"

#include <algorithm>
#include <utility>

namespace syncrelay {

void PeerKeys::replace(const std::vector<std::string>& keys) {
  std::set<std::string, std::less<>> now(keys.begin(), keys.end());
  const std::lock_guard lock(mutex_);
  if (!std::includes(now.begin(), now.end(), keys_.begin(), keys_.end())) ++removals_;
  keys_ = std::move(now);
}

bool PeerKeys::has(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  return keys_.find(key) != keys_.end();
}

std::uint64_t PeerKeys::removals() const {
  const std::lock_guard lock(mutex_);
  return removals_;
}

}  // namespace syncrelay
