#include "syncrelay/shard/snapshot_cache.h"

#include <algorithm>

#include "syncrelay/protocol/frame.h"
#include "syncrelay/protocol/json_text.h"

namespace syncrelay {
namespace {

constexpr std::size_t kMaxPlainBytes = 4096;

std::string full_message_begin(const Replica::State& state) {
  std::string text = R"({"type":"sync:full","data":{)";
  for (const auto& [key, value] : state) {
    if (text.back() != '{') text += ',';
    append_json_string(text, key);
    text += ':';
    text += *value;
  }
  text += '}';
  return text;
}

std::shared_ptr<const Snapshot> encode(const Replica::State& state) {
  std::string text = full_message_begin(state);
  if (text.size() <= kMaxPlainBytes)
    return std::make_shared<const Snapshot>(Snapshot{std::move(text), false});
  std::string frames(wire_size(text.size()), '\0');
  MessageWriter(reinterpret_cast<std::byte*>(frames.data()), text.size(), MessagePart::beginning)
      .write(text);
  return std::make_shared<const Snapshot>(Snapshot{std::move(frames), true});
}

}  // namespace

std::shared_ptr<const Snapshot> SnapshotCache::get(const Replica& replica) {
  if (current_ && version_ == replica.state_version()) return current_;
  if (current_) older_.emplace_back(current_);
  current_ = nullptr;
  if (held_bytes() > max_held_bytes_) return nullptr;
  current_ = encode(replica.state());
  version_ = replica.state_version();
  return current_;
}

std::size_t SnapshotCache::held_bytes() {
  const auto gone = [](const std::weak_ptr<const Snapshot>& snapshot) {
    return snapshot.expired();
  };
  older_.erase(std::remove_if(older_.begin(), older_.end(), gone), older_.end());
  std::size_t bytes = 0;
  for (const auto& snapshot : older_) {
    if (const auto held = snapshot.lock()) bytes += held->bytes.size();
  }
  return bytes;
}

}  // namespace syncrelay
