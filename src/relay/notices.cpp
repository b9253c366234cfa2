#include "syncrelay/relay/notices.h"

#include <iterator>
#include <utility>

namespace syncrelay {

void Notices::ask(WorkerEvents events, TimePoint now) {
  for_each(events.remove(WorkerEvent::message), [&](WorkerEvent event) {
    asked_.add(event);
    kind(event).asked_at = now;
  });
}

void Notices::forget_unasked(TimePoint now) {
  for_each(asked_, [&](WorkerEvent event) {
    if (now - kind(event).asked_at >= kMemory) forget(event);
  });
  if (asked_.empty()) untold_ = 0;
}

void Notices::forget(WorkerEvent event) {
  asked_.remove(event);
  const std::deque<Numbered> forgotten = std::exchange(kind(event).queue, {});
  size_ -= forgotten.size();
  for (const Numbered& each : forgotten) bytes_ -= weight(each.notice);
}

void Notices::add(Notice notice) {
  if (!asked_.has(notice.event)) return;
  ++size_;
  bytes_ += weight(notice);
  std::deque<Numbered>& queue = kind(notice.event).queue;
  queue.push_back({next_number_++, std::move(notice)});
  bound();
}

void Notices::bound() {
  while (size_ > kMax || bytes_ > kMaxBytes) {
    std::deque<Numbered>& queue = *oldest(asked_);
    --size_;
    bytes_ -= weight(queue.front().notice);
    queue.pop_front();
    add_dropped(1);
  }
}

void Notices::add_dropped(std::uint64_t count) {
  untold_ += count;
  stats_.notices_dropped.add(count);
}

void Notices::stage(Notice notice) {
  if (asked_.has(notice.event)) staged_.push_back(std::move(notice));
}

void Notices::keep_staged() {
  for (Notice& notice : staged_) add(std::move(notice));
  staged_.clear();
}

WorkerEvents Notices::waiting() const {
  WorkerEvents waiting;
  for_each(asked_, [&](WorkerEvent event) {
    if (!kind(event).queue.empty()) waiting.add(event);
  });
  return waiting;
}

// Null: there is none of these kinds.
std::deque<Notices::Numbered>* Notices::oldest(WorkerEvents events) {
  std::deque<Numbered>* oldest = nullptr;
  for_each(events, [&](WorkerEvent event) {
    std::deque<Numbered>& queue = kind(event).queue;
    if (queue.empty()) return;
    if (oldest == nullptr || queue.front().number < oldest->front().number) oldest = &queue;
  });
  return oldest;
}

Notices::Taken Notices::take(WorkerEvents events, std::size_t max, std::size_t bytes) {
  Taken taken;
  if (events.remove(WorkerEvent::message).empty()) return taken;
  taken.dropped = std::exchange(untold_, 0);
  while (taken.notices.size() < max) {
    std::deque<Numbered>* const queue = oldest(events);
    if (queue == nullptr) break;
    const std::size_t more = weight(queue->front().notice);
    if (taken.bytes + more > bytes) break;
    taken.bytes += more;
    taken.notices.push_back(std::move(queue->front()));
    queue->pop_front();
  }
  size_ -= taken.notices.size();
  bytes_ -= taken.bytes;
  return taken;
}

void Notices::give_back(Taken taken) {
  untold_ += taken.dropped;
  size_ += taken.notices.size();
  bytes_ += taken.bytes;
  for (auto each = taken.notices.rbegin(); each != taken.notices.rend(); ++each)
    kind(each->notice.event).queue.push_front(std::move(*each));
}

}  // namespace syncrelay
