#include "syncrelay/channel/channel_log.h"

namespace syncrelay {

void ChannelLog::append(const LogChunk* chunk, std::uint64_t begin, std::uint64_t end) {
  const bool goes_on =
      !stretches_.empty() && stretches_.back().chunk == chunk && stretches_.back().end == begin;
  if (goes_on) {
    stretches_.back().end = end;
  } else {
    stretches_.push_back({chunk, end, next()});
  }
  begins_.push_back(begin);
}

void ChannelLog::pop_front() {
  begins_.pop_front();
  begins_.trim();
  first_ = first_.next();
  if (behind(0) > first_) return;
  stretches_.pop_front();
  stretches_.trim();
}

void ChannelLog::clear() {
  first_ = next();
  begins_ = {};
  stretches_ = {};
}

// The last event that can be asked for is usually in the last stretch.
std::size_t ChannelLog::stretch_of(Seq seq) const {
  std::size_t low = 0;
  std::size_t high = stretches_.size();
  if (stretches_.back().first <= seq) return high - 1;
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (stretches_[middle].first <= seq ? low : high) = middle;
  }
  return low;
}

// The event that follows a stretch.
Seq ChannelLog::behind(std::size_t stretch) const {
  return stretch + 1 < stretches_.size() ? stretches_[stretch + 1].first : next();
}

// The first event that begins at `position` or behind it.
Seq ChannelLog::first_from(std::uint64_t position) const {
  std::size_t low = 0;
  std::size_t high = begins_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (begins_[middle] < position) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return {first_.value + low};
}

Run ChannelLog::read(Seq from, std::uint64_t limit) const {
  if (from == next()) return {nullptr, 0, 0, from};
  const std::uint64_t begin = begin_of(from);
  if (begin >= limit) return {nullptr, 0, 0, from};
  const std::size_t index = stretch_of(from);
  const Stretch& stretch = stretches_[index];
  if (stretch.end <= limit) return {stretch.chunk, begin, stretch.end, behind(index)};
  return {stretch.chunk, begin, limit, first_from(limit)};
}

LoggedEvent ChannelLog::event_at(std::uint64_t position) const {
  const Seq seq = first_from(position + 1).previous();
  const std::size_t index = stretch_of(seq);
  const std::uint64_t end =
      behind(index) == seq.next() ? stretches_[index].end : begin_of(seq.next());
  return {seq, begin_of(seq), end, stretches_[index].chunk};
}

}  // namespace syncrelay
