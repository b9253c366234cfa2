#include "syncrelay/channel/event_log.h"

namespace syncrelay {

void EventLog::append(const Update& update) {
  if (stretches_.empty() || stretches_.back().chunk != update.chunk)
    stretches_.push_back({update.chunk, update.seq});
  if (entries_.empty()) first_ = update.seq;
  entries_.push_back({update.position, update.accepted});
  next_ = update.seq.next();
  end_ = update.position + update.size;
  evict();
}

void EventLog::evict() {
  while (oldest_may_go()) {
    entries_.pop_front();
    first_ = first_.next();
    if (stretches_.size() > 1 && stretches_[1].first <= first_) stretches_.pop_front();
  }
}

bool EventLog::oldest_may_go() const {
  if (entries_.size() <= 1) return false;
  if (bytes() <= bounds_.bytes && entries_.size() <= bounds_.events) return false;
  return entries_[1].begin <= keep_from_ || bytes() > bounds_.bytes + kMaxKeptBytes;
}

Cursor EventLog::before(Seq seq) const {
  return seq == next_ ? end() : Cursor{entries_[distance(first_, seq)].begin, seq};
}

std::size_t EventLog::stretch_index(std::uint64_t position) const {
  std::size_t index = stretches_.size() - 1;
  while (stretches_[index].chunk->begin() > position) --index;
  return index;
}

EventLog::Run EventLog::read(const Cursor& cursor) const {
  if (cursor.position == end_) return {{}, cursor};
  const std::size_t index = stretch_index(cursor.position);
  const bool last = index + 1 == stretches_.size();
  const Cursor behind =
      last ? end() : Cursor{stretches_[index + 1].chunk->begin(), stretches_[index + 1].first};
  return {stretches_[index].chunk->read(cursor.position, behind.position), behind};
}

LoggedEvent EventLog::event_at(std::uint64_t position) const {
  std::size_t low = 0;
  std::size_t high = entries_.size();
  while (high - low > 1) {
    const std::size_t middle = low + (high - low) / 2;
    (entries_[middle].begin <= position ? low : high) = middle;
  }
  const std::uint64_t end = low + 1 < entries_.size() ? entries_[low + 1].begin : end_;
  return {
      {first_.value + low}, entries_[low].begin, end, &stretches_[stretch_index(position)].chunk};
}

}  // namespace syncrelay
