#include "syncrelay/post/deflated_chunk.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "syncrelay/post/log_chunk.h"
#include "syncrelay/protocol/frame.h"

namespace syncrelay {
namespace {

ByteSpan bytes_of(const LogChunk& chunk, std::uint32_t from, std::uint32_t to) {
  return chunk.read(chunk.begin() + from, chunk.begin() + to);
}

WireRun as_it_is(const LogChunk& chunk, std::uint32_t from, std::uint32_t to) {
  return {bytes_of(chunk, from, to), chunk.begin() + to, false};
}

bool is_short(std::size_t event) {
  return event < Deflater::kLeastBytes;
}

// How long it takes is up to who has made the text: its kinds are an order of magnitude apart.
std::optional<std::string_view> deflate(ByteSpan event, std::size_t most, Deflating& work) {
  work.bytes_left -= std::min(work.bytes_left, event.size());
  if (work.clock == nullptr) return work.deflater.deflate_message(event, most);
  const TimePoint begin = work.clock->now();
  const auto payload = work.deflater.deflate_message(event, most);
  work.time_left -= work.clock->now() - begin;
  if (work.time_left <= Duration::zero()) work.bytes_left = 0;
  return payload;
}

std::uint64_t count_not_short(ByteSpan events) {
  std::uint64_t count = 0;
  while (!events.empty()) {
    const std::size_t size = message_end(events);
    if (!is_short(size)) ++count;
    events = events.subspan(size);
  }
  return count;
}

}  // namespace

WireRun DeflatedChunk::run(const LogChunk& chunk, std::uint64_t from, std::uint64_t to,
                           Deflating& work) {
  const std::lock_guard lock(mutex_);
  const auto begin = static_cast<std::uint32_t>(from - chunk.begin());
  const auto end = static_cast<std::uint32_t>(to - chunk.begin());
  auto segment = segment_for(begin);
  const auto next = segment == segments_.end() ? segments_.begin() : segment + 1;
  const std::uint32_t limit = next == segments_.end() ? end : std::min(end, next->begin);
  const bool here = segment != segments_.end() && begin < segment->end;
  const bool grows =
      segment != segments_.end() && begin <= segment->end && segment->last == starts_.size();
  if (here && !(grows && segment->end < limit)) return cut(chunk, *segment, begin, end);
  if (!grows) {
    if (count_not_short(bytes_of(chunk, begin, limit)) == 0) return as_it_is(chunk, begin, limit);
    const auto index = static_cast<std::uint32_t>(starts_.size());
    segment = segments_.insert(next, {begin, begin, index, index});
  }
  const std::uint32_t as_it_is_to = lay(chunk, *segment, limit, work);
  if (segment->end > begin) return cut(chunk, *segment, begin, end);
  if (segment->first == segment->last) segments_.erase(segment);
  work.events_left += count_not_short(bytes_of(chunk, begin, as_it_is_to));
  return as_it_is(chunk, begin, as_it_is_to);
}

// The last one that begins at `from` or before; end() when there is none.
DeflatedChunk::Segments::iterator DeflatedChunk::segment_for(std::uint32_t from) {
  const auto behind = std::upper_bound(
      segments_.begin(), segments_.end(), from,
      [](std::uint32_t place, const Segment& segment) { return place < segment.begin; });
  return behind == segments_.begin() ? segments_.end() : behind - 1;
}

std::uint32_t DeflatedChunk::lay(const LogChunk& chunk, Segment& segment, std::uint32_t to,
                                 Deflating& work) {
  while (segment.end < to) {
    const ByteSpan rest = bytes_of(chunk, segment.end, to);
    const std::size_t size = message_end(rest);
    if (size > kMostEventBytes) return segment.end + static_cast<std::uint32_t>(size);
    if (!lay_event(chunk, rest.first(size), segment, work)) break;
  }
  return to;
}

// False: there is no room for it, or nothing more is to be deflated now.
bool DeflatedChunk::lay_event(const LogChunk& chunk, ByteSpan event, Segment& segment,
                              Deflating& work) {
  if (full_) return false;
  if (is_short(event.size())) return copy(chunk, event, segment);
  if (work.bytes_left == 0) return false;
  const auto payload = deflate(event, std::min(event.size(), room(chunk)), work);
  const std::size_t size = payload ? wire_size(payload->size()) : SIZE_MAX;
  if (size >= event.size()) return copy(chunk, event, segment);
  std::byte* const place = reserve(chunk, size);
  if (place == nullptr) return false;
  MessageWriter(place, payload->size(), MessagePart::whole, Coding::deflated).write(*payload);
  add(segment, event.size(), size);
  ++work.events;
  work.plain_bytes += event.size();
  work.wire_bytes += size;
  return true;
}

bool DeflatedChunk::copy(const LogChunk& chunk, ByteSpan event, Segment& segment) {
  std::byte* const place = reserve(chunk, event.size());
  if (place == nullptr) return false;
  std::memcpy(place, event.data(), event.size());
  add(segment, event.size(), event.size());
  return true;
}

// For the next event.
std::size_t DeflatedChunk::room(const LogChunk& chunk) const {
  const std::size_t used = used_ + (starts_.size() + 1) * sizeof(Start);
  return chunk.capacity() / 2 - std::min(chunk.capacity() / 2, used);
}

// Where the next event is to be laid; null when that does not fit.
std::byte* DeflatedChunk::reserve(const LogChunk& chunk, std::size_t size) {
  full_ = size > room(chunk);
  if (full_) return nullptr;
  if (!bytes_) bytes_.reset(new std::byte[chunk.capacity() / 2]);
  return bytes_.get() + used_;
}

void DeflatedChunk::add(Segment& segment, std::size_t plain, std::size_t here) {
  starts_.push_back({segment.end, used_});
  segment.end += static_cast<std::uint32_t>(plain);
  used_ += static_cast<std::uint32_t>(here);
  ++segment.last;
}

// Of the segment, what of the log is not behind `to`.
WireRun DeflatedChunk::cut(const LogChunk& chunk, const Segment& segment, std::uint32_t from,
                           std::uint32_t to) const {
  const std::uint32_t end = std::min(to, segment.end);
  const std::uint32_t first = place_of(segment, from);
  return {ByteSpan(bytes_.get() + first, place_of(segment, end) - first), chunk.begin() + end,
          true};
}

// Where the event is laid down that begins at `plain` in the chunk, or where the segment ends.
std::uint32_t DeflatedChunk::place_of(const Segment& segment, std::uint32_t plain) const {
  if (plain == segment.end) return end_of(segment.last - 1);
  const auto begin = starts_.begin();
  return std::lower_bound(begin + segment.first, begin + segment.last, plain,
                          [](const Start& start, std::uint32_t at) { return start.plain < at; })
      ->here;
}

std::uint32_t DeflatedChunk::end_of(std::size_t index) const {
  return index + 1 < starts_.size() ? starts_[index + 1].here : used_;
}

DeflatedChunk::Event DeflatedChunk::event_at(const LogChunk& chunk, const std::byte* place) const {
  const std::lock_guard lock(mutex_);
  const auto offset = static_cast<std::uint32_t>(place - bytes_.get());
  const auto behind =
      std::upper_bound(starts_.begin(), starts_.end(), offset,
                       [](std::uint32_t at, const Start& start) { return at < start.here; });
  const Start& start = behind[-1];
  const std::uint32_t end = behind == starts_.end() ? used_ : behind->here;
  return {chunk.begin() + start.plain, {bytes_.get() + start.here, end - start.here}};
}

std::size_t DeflatedChunk::bytes() const {
  const std::lock_guard lock(mutex_);
  return used_ + starts_.size() * sizeof(Start);
}

}  // namespace syncrelay
