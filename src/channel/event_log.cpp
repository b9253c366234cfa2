#include "syncrelay/channel/event_log.h"

namespace syncrelay {

void EventLog::append(ChannelLog& channel, const Update& update) {
  if (chunks_.empty() || chunks_.back() != update.chunk) chunks_.push_back(update.chunk);
  if (!in_step_) step_begin_ = update.position;
  in_step_ = true;
  end_ = update.position + update.size;
  if (channel.events() == 0) channel.start_at(update.seq);
  channel.append(update.chunk.get(), update.position, end_);
  entries_.push_back({&channel, update.position, update.accepted});
}

void EventLog::end_step() {
  if (!in_step_) return;
  in_step_ = false;
  while (oldest_may_go()) pop_oldest();
  release_chunks();
}

void EventLog::drop(ChannelLog& channel) {
  for (Seq seq = channel.first(); seq < channel.next(); seq = seq.next()) {
    entries_[first_from(channel.begin_of(seq))].channel = nullptr;
    ++dropped_;
  }
  channel.clear();
  while (!entries_.empty() && entries_.front().channel == nullptr) pop_oldest();
  release_chunks();
}

bool EventLog::oldest_may_go() const {
  if (entries_.size() <= 1) return false;
  const Entry& oldest = entries_.front();
  if (oldest.channel == nullptr) return true;
  if (oldest.begin >= step_begin_) return false;
  if (bytes() <= bounds_.bytes && events() <= bounds_.events) return false;
  return entries_[1].begin <= keep_from_ || bytes() > bounds_.bytes + kMaxKeptBytes;
}

void EventLog::pop_oldest() {
  if (ChannelLog* const channel = entries_.front().channel) {
    channel->pop_front();
  } else {
    --dropped_;
  }
  entries_.pop_front();
}

void EventLog::release_chunks() {
  while (!chunks_.empty() &&
         (entries_.empty() || (chunks_.size() > 1 && chunks_[1]->begin() <= begin()))) {
    chunks_.pop_front();
  }
}

// The index of the first entry that begins at `position` or behind it.
std::size_t EventLog::first_from(std::uint64_t position) const {
  std::size_t low = 0;
  std::size_t high = entries_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (entries_[middle].begin < position) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

const std::shared_ptr<const LogChunk>& EventLog::chunk_of(const LoggedEvent& event) const {
  std::size_t index = chunks_.size() - 1;
  while (chunks_[index].get() != event.chunk) --index;
  return chunks_[index];
}

}  // namespace syncrelay
