#include "syncrelay/relay/history_copy.h"

#include <algorithm>
#include <chrono>
#include <unordered_map>
#include <utility>

namespace syncrelay {
namespace {

constexpr std::size_t kShedBlocks = 32;  // of 64 keys
constexpr std::size_t kShedChannels = 1024;

using Ends = std::unordered_map<std::uint64_t, HistoryCopy::End>;  // by version

Expiry expiry_of(const HistoryCopy::End& end, WallTime now) {
  using std::chrono::ceil;
  const Duration left = std::max(end.left, Duration::zero());
  const auto microseconds = ceil<std::chrono::microseconds>(left);
  return {
      {now.microseconds + microseconds.count()}, ceil<std::chrono::milliseconds>(left), end.told};
}

StateValue value_of(const State& state, std::string_view id) {
  const StateValue* const value = state.find(id);
  return value == nullptr ? nullptr : *value;
}

void tell(const Channel& channel, const Ends& ends, WallTime now, StoredHistory& history) {
  const std::string name(text(channel.name));
  if (channel.state.size() > 0) {
    auto& values = history.state[name];
    channel.state.for_each([&](const State::Entry& entry) {
      StoredValue value{entry.value, entry.version};
      if (const auto end = ends.find(entry.version); end != ends.end())
        value.expiry = expiry_of(end->second, now);
      values.emplace_hint(values.end(), entry.key, std::move(value));
    });
  }
  channel.members.get().for_each([&](const State::Entry& entry) {
    history.members[name].push_back({name, entry.key, entry.value,
                                     value_of(channel.wills.get(), entry.key),
                                     value_of(channel.homes.get(), entry.key)});
  });
}

}  // namespace

StoredHistory HistoryCopy::stored() const {
  StoredHistory history;
  history.last = last;
  history.events_ever = events_ever;
  history.version = version;
  history.tombstones = tombstones;
  Ends by_version;
  for (const End& end : ends) by_version.emplace(end.version, end);
  for (const Channel& channel : channels) {
    if (channel.name) {
      history.channels.push_back({*channel.name, channel.start, channel.last, channel.generation});
    }
    tell(channel, by_version, now, history);
  }
  std::size_t at = 0;
  for (const Id& id : ids) {
    history.ids.push_back({id_texts.substr(at, id.size), id.seq, id.accepted});
    at += id.size;
  }
  history.dead = dead;
  return history;
}

bool HistoryCopy::shed() {
  std::size_t blocks = 0;
  for (std::size_t count = 0; count < kShedChannels && !channels.empty(); ++count) {
    State& state = channels.back().state;
    blocks += state.drop_blocks(kShedBlocks - blocks);
    if (state.block_count() > 0) return true;
    channels.pop_back();
  }
  return !channels.empty();
}

}  // namespace syncrelay
