#include "event_runs.h"

#include <memory>
#include <utility>

namespace syncrelay {
namespace {

constexpr unsigned kBits = 7;
constexpr unsigned char kMore = 1U << kBits;

void append_varint(std::string& blob, std::uint64_t number) {
  for (; number >= kMore; number >>= kBits)
    blob += static_cast<char>(static_cast<unsigned char>(number) | kMore);
  blob += static_cast<char>(number);
}

std::optional<std::uint64_t> take_varint(std::string_view& blob) {
  std::uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && !blob.empty(); shift += kBits) {
    const auto byte = static_cast<unsigned char>(blob.front());
    blob.remove_prefix(1);
    number |= std::uint64_t{byte & (kMore - 1U)} << shift;
    if (byte < kMore) return number;
  }
  return std::nullopt;
}

std::optional<std::string_view> take_name(std::string_view& blob) {
  const std::size_t size = blob.empty() ? 0 : static_cast<unsigned char>(blob.front());
  if (size == 0 || blob.size() < 1 + size) return std::nullopt;
  const std::string_view name = blob.substr(1, size);
  blob.remove_prefix(1 + size);
  return name;
}

class RunEncoder {
 public:
  void add(std::string_view channel, Seq first, std::uint64_t count) {
    add_channel(channel);
    append_varint(blob_, first.value);
    append_varint(blob_, count);
  }
  std::string take() { return std::move(blob_); }

 private:
  void add_channel(std::string_view channel) {
    if (channel.empty()) return append_varint(blob_, 0);
    const auto [entry, added] = numbers_.try_emplace(channel, numbers_.size() + 1);
    append_varint(blob_, entry->second);
    if (!added) return;
    blob_ += static_cast<char>(channel.size());
    blob_ += channel;
  }

  std::string blob_;
  std::unordered_map<std::string_view, std::size_t> numbers_;
};

bool are_numbered_as_the_log(const std::vector<StoredEvent>& events, std::uint64_t first_event) {
  for (const StoredEvent& event : events) {
    if (event.channel || event.seq.value != first_event++) return false;
  }
  return true;
}

}  // namespace

std::string encode_runs(const std::vector<StoredEvent>& events, std::uint64_t first_event) {
  if (are_numbered_as_the_log(events, first_event)) return {};
  RunEncoder encoder;
  for (std::size_t begin = 0, end = 0; begin < events.size(); begin = end) {
    const StoredEvent& first = events[begin];
    for (end = begin + 1; end < events.size(); ++end) {
      if (events[end].seq.value != first.seq.value + (end - begin) ||
          text(events[end].channel) != text(first.channel))
        break;
    }
    encoder.add(text(first.channel), first.seq, end - begin);
  }
  return encoder.take();
}

ChannelName ChannelNames::of(std::string_view name) {
  if (name.empty()) return nullptr;
  ChannelName& known = names_[std::string(name)];
  if (!known) known = std::make_shared<const std::string>(name);
  return known;
}

std::optional<std::vector<StoredRun>> decode_runs(std::string_view blob, std::uint64_t first_event,
                                                  std::uint64_t count, ChannelNames& names) {
  if (blob.empty()) return std::vector<StoredRun>{{nullptr, Seq{first_event}, count}};
  std::vector<StoredRun> runs;
  std::vector<ChannelName> known = {nullptr};
  while (!blob.empty()) {
    const auto channel = take_varint(blob);
    if (!channel || *channel > known.size()) return std::nullopt;
    if (*channel == known.size()) {
      const auto name = take_name(blob);
      if (!name) return std::nullopt;
      known.push_back(names.of(*name));
    }
    const auto first = take_varint(blob);
    const auto events = take_varint(blob);
    if (!first || !events || *events == 0 || *events > count) return std::nullopt;
    count -= *events;
    runs.push_back({known[*channel], Seq{*first}, *events});
  }
  if (count > 0) return std::nullopt;
  return runs;
}

}  // namespace syncrelay
