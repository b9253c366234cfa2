#include "syncrelay/shard/snapshot.h"

#include <algorithm>

#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/server_message.h"
#include "syncrelay/shard/deflation.h"

namespace syncrelay {
namespace {

// Of each deflated fragment. Deflated and with a header it is no longer than a frame may be, also
// where it gets longer by that (zlib's deflateBound()).
constexpr std::size_t kDeflatedText = 56 * 1024;

// How much longer it takes to deflate a byte than to copy it; as far as turns are concerned.
constexpr std::size_t kDeflatingEffort = 8;

// Writes `text` from `skip` on, at most `size` bytes; returns how many.
template <typename Write>
std::size_t write_some(std::string_view text, std::size_t skip, std::size_t size, Write& write) {
  if (skip >= text.size()) return 0;
  const std::string_view piece = text.substr(skip, size);
  write(piece);
  return piece.size();
}

std::size_t text_of_fragment(Coding coding) {
  return coding == Coding::plain ? kFragmentBytes : kDeflatedText;
}

MessagePart part_at(const Snapshot::Place& place) {
  return place.at == 0 ? MessagePart::beginning : MessagePart::middle;
}

// Lays down one frame.
void frame(std::string_view payload, const Snapshot::Place& place, std::string& bytes) {
  bytes.resize(wire_size(payload.size()));
  MessageWriter(reinterpret_cast<std::byte*>(bytes.data()), payload.size(), part_at(place),
                Coding::deflated)
      .write(payload);
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

const std::string& Snapshot::plain_deflated(Deflation& deflation) {
  const bool due = plain_deflated_.empty() && plain_.size() >= Deflater::kLeastBytes;
  if (due) plain_deflated_ = deflation.deflate(plain_);
  return plain_deflated_;
}

Snapshot::Given Snapshot::fragment(const Place& place, const Encoding& encoding) {
  auto& kept = kept_[static_cast<std::size_t>(encoding.coding)];
  const bool deflated = encoding.coding == Coding::deflated;
  const std::size_t index = place.at / text_of_fragment(encoding.coding);
  if (index < kept.size()) return {kept[index], kept[index].bytes.size()};
  if (index > kept.size() || kept_bytes_ + kFragmentBytes > may_keep_bytes_) {
    deflated ? store(place, encoding.scratch) : encode(place, encoding.scratch);
    return {encoding.scratch, encoding.scratch.bytes.size()};
  }
  Fragment& made = kept.emplace_back();
  deflated ? deflate(place, made, encoding.deflater) : encode(place, made);
  kept_bytes_ += made.bytes.size();
  const std::size_t text = made.behind.at - place.at;
  return {made, deflated ? text * kDeflatingEffort : made.bytes.size()};
}

void Snapshot::retire() {
  may_keep_bytes_ = 0;
  kept_bytes_ = 0;
  kept_ = {};
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
  MessageWriter writer(reinterpret_cast<std::byte*>(fragment.bytes.data()), size, part_at(place));
  read(fragment.behind, size, [&](std::string_view piece) { writer.write(piece); });
}

// For who inflates, without taking the time to deflate.
void Snapshot::store(const Place& place, Fragment& fragment) const {
  const std::size_t size = std::min(kDeflatedText, size_ - place.at);
  std::string text;
  text.reserve(size);
  fragment.behind = place;
  read(fragment.behind, size, [&](std::string_view piece) { text += piece; });
  std::string payload;
  Deflater::append_stored(payload, text);
  frame(payload, place, fragment.bytes);
}

void Snapshot::deflate(const Place& place, Fragment& fragment, Deflater& deflater) const {
  const std::size_t size = std::min(kDeflatedText, size_ - place.at);
  fragment.behind = place;
  deflater.begin();
  read(fragment.behind, size, [&](std::string_view piece) { deflater.add(piece); });
  frame(deflater.end(), place, fragment.bytes);
  fragment.bytes.shrink_to_fit();
}

// Writes the next `size` bytes of the text and moves `place` behind them.
template <typename Write>
void Snapshot::read(Place& place, std::size_t size, Write write) const {
  place.at += size;
  while (size > 0) {
    const std::string before = lead(place);
    const std::string_view after = value(place);
    std::size_t written = write_some(before, place.offset, size, write);
    place.offset += written;
    size -= written;
    written = size == 0 ? 0 : write_some(after, place.offset - before.size(), size, write);
    place.offset += written;
    size -= written;
    if (place.offset == before.size() + after.size() && place.block < block_count()) step(place);
  }
}

}  // namespace syncrelay
