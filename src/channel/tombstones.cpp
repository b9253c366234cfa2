#include "syncrelay/channel/tombstones.h"

#include <cstdio>
#include <utility>

#include "syncrelay/base/crc64.h"

namespace syncrelay {

Seq Tombstones::last_of(std::string_view name) const {
  const auto found = last_.find(hash(name));
  return found == last_.end() ? Seq{0} : found->second;
}

// A channel without any number leaves none.
void Tombstones::put(std::string_view name, Seq last) {
  if (last == Seq{0}) return;
  if (last_.size() >= kMax && last_.count(hash(name)) == 0) {
    last_ = {};
    ++generation_;
  }
  last_[hash(name)] = last;
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
