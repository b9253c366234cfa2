#include "syncrelay/relay/history_codec.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "syncrelay/channel/homes.h"

namespace syncrelay {
namespace {

constexpr std::size_t kNumberBytes = 8;
constexpr std::size_t kLeastBytes = kNumberBytes;  // of an entry of any list

class BytesWriter {
 public:
  void number(std::uint64_t number) {
    for (std::size_t index = 0; index < kNumberBytes; ++index)
      bytes_ += static_cast<char>(number >> (8 * index) & 0xff);
  }
  void text(std::string_view text) {
    number(text.size());
    bytes_ += text;
  }
  // Null is another thing than empty.
  void value(const StateValue& value) {
    number(value ? 1 : 0);
    if (value) text(*value);
  }
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_ = std::string(1, static_cast<char>(kHistoryVersion));
};

// What is not there is empty or 0, and told at the end.
class BytesReader {
 public:
  explicit BytesReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t number() {
    const std::string_view taken = take(kNumberBytes);
    std::uint64_t number = 0;
    for (std::size_t index = 0; index < taken.size(); ++index)
      number |= static_cast<std::uint64_t>(static_cast<unsigned char>(taken[index])) << (8 * index);
    return number;
  }
  std::uint32_t small() { return static_cast<std::uint32_t>(number()); }
  // Of entries that follow: never more than there can be.
  std::uint64_t count() {
    const std::uint64_t count = number();
    if (count <= bytes_.size() / kLeastBytes) return count;
    whole_ = false;
    return 0;
  }
  std::string text() { return std::string(take(number())); }
  StateValue value() {
    return number() == 0 ? nullptr : std::make_shared<const std::string>(text());
  }
  bool whole() const { return whole_ && bytes_.empty(); }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size()) {
      whole_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }

  std::string_view bytes_;
  bool whole_ = true;
};

void write_tombstones(BytesWriter& to, const Tombstones& tombstones) {
  to.number(tombstones.generation());
  to.number(tombstones.size());
  const Tombstones::ByHash all = tombstones.by_hash();
  // The same bytes of the same history.
  for (const auto& [hash, last] : std::map<std::uint64_t, Seq>(all.begin(), all.end())) {
    to.number(hash);
    to.number(last.value);
  }
}

void read_tombstones(BytesReader& from, Tombstones& tombstones) {
  const std::uint32_t generation = from.small();
  Tombstones::ByHash last;
  for (std::uint64_t left = from.count(); left > 0; --left) {
    const std::uint64_t hash = from.number();
    last.emplace(hash, Seq{from.number()});
  }
  tombstones.restore(last, generation);
}

void write_channels(BytesWriter& to, const std::vector<StoredChannel>& channels) {
  to.number(channels.size());
  for (const StoredChannel& channel : channels) {
    to.text(channel.name);
    to.number(channel.start.value);
    to.number(channel.last.value);
    to.number(channel.generation);
  }
}

void read_channels(BytesReader& from, std::vector<StoredChannel>& channels) {
  for (std::uint64_t left = from.count(); left > 0; --left) {
    StoredChannel channel;
    channel.name = from.text();
    channel.start.value = from.number();
    channel.last.value = from.number();
    channel.generation = from.small();
    channels.push_back(std::move(channel));
  }
}

void write_value(BytesWriter& to, const StoredValue& value) {
  to.text(*value.value);
  to.number(value.version);
  to.number(value.expiry ? 1 : 0);
  if (!value.expiry) return;
  to.number(static_cast<std::uint64_t>(value.expiry->at.microseconds));
  to.number(static_cast<std::uint64_t>(value.expiry->after.count()));
  to.number(value.expiry->told ? 1 : 0);
}

StoredValue read_value(BytesReader& from) {
  StoredValue value;
  value.value = std::make_shared<const std::string>(from.text());
  value.version = from.number();
  if (from.number() == 0) return value;
  Expiry expiry;
  expiry.at.microseconds = static_cast<std::int64_t>(from.number());
  expiry.after = std::chrono::milliseconds(from.number());
  expiry.told = from.number() != 0;
  value.expiry = expiry;
  return value;
}

void write_state(BytesWriter& to, const StoredHistory& history) {
  to.number(history.state.size());
  for (const auto& [channel, values] : history.state) {
    to.text(channel);
    to.number(values.size());
    for (const auto& [key, value] : values) {
      to.text(key);
      write_value(to, value);
    }
  }
}

void read_state(BytesReader& from, StoredHistory& history) {
  for (std::uint64_t channels = from.count(); channels > 0; --channels) {
    auto& values = history.state[from.text()];
    for (std::uint64_t left = from.count(); left > 0; --left) {
      std::string key = from.text();
      values.insert_or_assign(std::move(key), read_value(from));
    }
  }
}

void write_homes(BytesWriter& to, const StateValue& text) {
  const Homes homes = text ? homes_of(*text) : Homes{};
  to.number(homes.word.number);
  to.number(homes.word.by);
  to.number(homes.relays.size());
  for (const RelayId relay : homes.relays) to.number(relay);
}

StateValue read_homes(BytesReader& from) {
  Homes homes;
  homes.word.number = from.number();
  homes.word.by = from.number();
  for (std::uint64_t left = from.count(); left > 0; --left) homes.relays.push_back(from.number());
  return homes.relays.empty() ? nullptr : std::make_shared<const std::string>(homes_text(homes));
}

void write_members(BytesWriter& to, const StoredHistory& history) {
  to.number(history.members.size());
  for (const auto& [channel, members] : history.members) {
    to.text(channel);
    to.number(members.size());
    for (const StoredMember& member : members) {
      to.text(member.id);
      to.value(member.value);
      to.value(member.will);
      write_homes(to, member.homes);
    }
  }
}

void read_members(BytesReader& from, StoredHistory& history) {
  for (std::uint64_t channels = from.count(); channels > 0; --channels) {
    const std::string channel = from.text();
    auto& members = history.members[channel];
    for (std::uint64_t left = from.count(); left > 0; --left) {
      StoredMember member;
      member.channel = channel;
      member.id = from.text();
      member.value = from.value();
      member.will = from.value();
      member.homes = read_homes(from);
      members.push_back(std::move(member));
    }
  }
}

void write_ids(BytesWriter& to, const std::vector<IdRecord>& ids) {
  to.number(ids.size());
  for (const IdRecord& record : ids) {
    to.text(record.id);
    to.number(record.seq.value);
    to.number(static_cast<std::uint64_t>(record.accepted.count()));
  }
}

void read_ids(BytesReader& from, std::vector<IdRecord>& ids) {
  for (std::uint64_t left = from.count(); left > 0; --left) {
    IdRecord record;
    record.id = from.text();
    record.seq.value = from.number();
    record.accepted = Duration(static_cast<Duration::rep>(from.number()));
    ids.push_back(std::move(record));
  }
}

// About; nothing that is large is counted too low.
std::size_t size_of(const StoredHistory& history) {
  constexpr std::size_t kEntry = 10 * kNumberBytes;
  std::size_t bytes = 4096 + history.ids.size() * kEntry + history.channels.size() * kEntry +
                      history.tombstones.size() * 2 * kNumberBytes;
  for (const auto& [channel, values] : history.state) {
    for (const auto& [key, value] : values) bytes += kEntry + key.size() + value.value->size();
  }
  for (const IdRecord& record : history.ids) bytes += record.id.size();
  return bytes;
}

}  // namespace

std::string history_bytes(const StoredHistory& history) {
  BytesWriter to;
  to.reserve(size_of(history));
  to.number(history.last.value);
  to.number(history.events_ever);
  to.number(history.version);
  write_tombstones(to, history.tombstones);
  write_channels(to, history.channels);
  write_state(to, history);
  write_members(to, history);
  write_ids(to, history.ids);
  to.number(history.dead.size());
  for (const RelayId relay : history.dead) to.number(relay);
  return to.take();
}

std::optional<StoredHistory> read_history(std::string_view bytes) {
  if (bytes.empty() || static_cast<unsigned char>(bytes.front()) != kHistoryVersion)
    return std::nullopt;
  BytesReader from(bytes.substr(1));
  StoredHistory history;
  history.last.value = from.number();
  history.events_ever = from.number();
  history.version = from.number();
  read_tombstones(from, history.tombstones);
  read_channels(from, history.channels);
  read_state(from, history);
  read_members(from, history);
  read_ids(from, history.ids);
  for (std::uint64_t left = from.count(); left > 0; --left) history.dead.push_back(from.number());
  if (!from.whole()) return std::nullopt;
  return history;
}

}  // namespace syncrelay
