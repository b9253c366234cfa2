#include "syncrelay/relay/timers.h"

namespace syncrelay {

void Timers::set(std::string_view channel, const std::string& key, std::uint64_t version, bool told,
                 TimePoint at) {
  end(channel, key);
  const auto keys = by_channel_.try_emplace(std::string(channel)).first;
  const auto entry = keys->second.try_emplace(key).first;
  entry->second = {version, told, by_time_.emplace(at, Place{&keys->first, &*entry})};
}

void Timers::end(std::string_view channel, std::string_view key) {
  const auto keys = by_channel_.find(channel);
  if (keys == by_channel_.end()) return;
  const auto entry = keys->second.find(key);
  if (entry == keys->second.end()) return;
  by_time_.erase(entry->second.place);
  keys->second.erase(entry);
  if (keys->second.empty()) by_channel_.erase(keys);
}

void Timers::end_all(std::string_view channel) {
  const auto keys = by_channel_.find(channel);
  if (keys == by_channel_.end()) return;
  for (const auto& [key, timer] : keys->second) by_time_.erase(timer.place);
  by_channel_.erase(keys);
}

std::optional<Timers::End> Timers::of(std::string_view channel, std::string_view key) const {
  const auto keys = by_channel_.find(channel);
  if (keys == by_channel_.end()) return std::nullopt;
  const auto entry = keys->second.find(key);
  if (entry == keys->second.end()) return std::nullopt;
  return End{entry->second.place->first, entry->second.told};
}

std::optional<TimePoint> Timers::next() const {
  if (by_time_.empty()) return std::nullopt;
  return by_time_.begin()->first;
}

std::vector<Expire> Timers::due(TimePoint now, std::size_t max) const {
  std::vector<Expire> due;
  for (auto it = by_time_.begin(); it != by_time_.end() && it->first <= now; ++it) {
    if (due.size() == max) break;
    const auto& [key, timer] = *it->second.key;
    due.push_back({*it->second.channel, key, timer.version, timer.told});
  }
  return due;
}

}  // namespace syncrelay
