#include "syncrelay/shard/snapshot.h"

#include <algorithm>

#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/server_message.h"

namespace syncrelay {
namespace {

// Writes `text` from `skip` on, at most `size` bytes; returns how many.
std::size_t write_some(std::string_view text, std::size_t skip, std::size_t size,
                       MessageWriter& out) {
  if (skip >= text.size()) return 0;
  const std::string_view piece = text.substr(skip, size);
  out.write(piece);
  return piece.size();
}

}  // namespace

Snapshot::Snapshot(const State& state, std::string_view channel, const State* members)
    : state_(state),
      keeps_members_(members != nullptr),
      members_(keeps_members_ ? *members : State()),
      head_(snapshot_head(channel)),
      size_(head_.size() + state.members_size() + kSnapshotTail.size() +
            (keeps_members_ ? kSnapshotMembers.size() + members->members_size() : 0)) {
  if (size_ > kMaxPlainBytes) return;
  Place place;
  for (; place.block < block_count(); step(place)) {
    plain_ += lead(place);
    plain_ += value(place);
  }
  plain_ += lead(place);
}

const Snapshot::Fragment& Snapshot::fragment(const Place& place, Fragment& scratch) {
  const std::size_t index = place.at / kFragmentBytes;
  if (index < kept_.size()) return kept_[index];
  if (index > kept_.size() || index >= may_keep_) {
    encode(place, scratch);
    return scratch;
  }
  encode(place, kept_.emplace_back());
  return kept_.back();
}

void Snapshot::retire() {
  may_keep_ = 0;
  std::vector<Fragment>().swap(kept_);
}

const State::Block& Snapshot::block(std::size_t index) const {
  const std::size_t of_state = state_.block_count();
  return index < of_state ? state_.block(index) : members_.block(index - of_state);
}

// What comes before the value of the entry at `place`; what ends the text behind the last entry.
std::string Snapshot::lead(const Place& place) const {
  const bool first = place.block == 0 && place.entry == 0;
  const bool first_member =
      keeps_members_ && place.block == state_.block_count() && place.entry == 0;
  std::string text(first ? head_ : std::string());
  if (first_member) text += kSnapshotMembers;
  if (place.block == block_count()) return text += kSnapshotTail;
  if (!first && !first_member) text += ',';
  append_json_string(text, block(place.block)[place.entry].key);
  return text += ':';
}

std::string_view Snapshot::value(const Place& place) const {
  if (place.block == block_count()) return {};
  return *block(place.block)[place.entry].value;
}

void Snapshot::step(Place& place) const {
  place.offset = 0;
  if (++place.entry < block(place.block).size()) return;
  ++place.block;
  place.entry = 0;
}

void Snapshot::encode(const Place& place, Fragment& fragment) const {
  const std::size_t size = std::min(kFragmentBytes, size_ - place.at);
  fragment.bytes.resize(wire_size(size));
  fragment.behind = place;
  MessageWriter writer(reinterpret_cast<std::byte*>(fragment.bytes.data()), size,
                       place.at == 0 ? MessagePart::beginning : MessagePart::middle);
  read(fragment.behind, size, writer);
}

// Writes the next `size` bytes of the text and moves `place` behind them.
void Snapshot::read(Place& place, std::size_t size, MessageWriter& out) const {
  place.at += size;
  while (size > 0) {
    const std::string before = lead(place);
    const std::string_view after = value(place);
    std::size_t written = write_some(before, place.offset, size, out);
    place.offset += written;
    size -= written;
    written = size == 0 ? 0 : write_some(after, place.offset - before.size(), size, out);
    place.offset += written;
    size -= written;
    if (place.offset == before.size() + after.size() && place.block < block_count()) step(place);
  }
}

}  // namespace syncrelay
