#include "syncrelay/redis/cluster_event.h"

#include <algorithm>
#include <chrono>

#include "redis/hex.h"
#include "redis/words.h"

namespace syncrelay {

std::string NodeId::text() const {
  return to_hex(value);
}

std::optional<NodeId> NodeId::parse(std::string_view text) {
  const auto value = from_hex(text);
  if (!value) return std::nullopt;
  return NodeId{*value};
}

NodeId NodeId::random() {
  return {random_number()};
}

std::string EntryId::text() const {
  return std::to_string(milliseconds) + '-' + std::to_string(seq);
}

std::optional<EntryId> EntryId::parse(std::string_view text) {
  const std::size_t dash = text.find('-');
  EntryId id;
  if (dash == std::string_view::npos || !read_number(text.substr(0, dash), id.milliseconds) ||
      !read_number(text.substr(dash + 1), id.seq))
    return std::nullopt;
  return id;
}

WallTime EntryId::ts() const {
  return {static_cast<std::int64_t>(milliseconds * 1000 + std::min<std::uint64_t>(seq, 999))};
}

Duration EntryId::at() const {
  return std::chrono::milliseconds(milliseconds);
}

std::size_t weight(const ClusterEvent& event) {
  std::size_t bytes = sizeof event;
  if (const auto* letters = std::get_if<LettersCame>(&event)) bytes += letters->data.size();
  if (const auto* loaded = std::get_if<StateLoaded>(&event)) bytes += loaded->state.size();
  return bytes;
}

}  // namespace syncrelay
