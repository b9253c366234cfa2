#include "syncrelay/channel/tombstones.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "syncrelay/base/crc64.h"

namespace syncrelay {

Seq Tombstones::last_of(std::string_view name) const {
  const auto found = last_.find(hash(name));
  return found == last_.end() ? Seq{0} : found->second;
}

bool Tombstones::overflows_by(std::string_view name) const {
  return last_.size() >= kMax && last_.count(hash(name)) == 0;
}

// A channel without any number leaves none. Of two names with the same hash the greater counts.
void Tombstones::put(std::string_view name, Seq last) {
  if (last == Seq{0}) return;
  if (overflows_by(name)) {
    last_ = {};
    ++generation_;
  }
  Seq& known = last_[hash(name)];
  known = std::max(known, last);
}

void Tombstones::put_back(std::uint64_t hash, std::optional<Seq> last) {
  if (last) {
    last_[hash] = *last;
  } else {
    last_.erase(hash);
  }
}

void Tombstones::restore(ByHash last, std::uint32_t generation) {
  last_ = std::move(last);
  generation_ = generation;
}

std::uint64_t Tombstones::hash(std::string_view name) {
  return Crc64().add(name).value();
}

std::string epoch_of(std::string_view log_epoch, std::uint32_t generation) {
  if (generation == 0) return std::string(log_epoch);
  const std::string seed = std::string(log_epoch) + ':' + std::to_string(generation);
  char text[17];
  std::snprintf(text, sizeof text, "%016llx",
                static_cast<unsigned long long>(Crc64().add(seed).value()));
  return text;
}

}  // namespace syncrelay
