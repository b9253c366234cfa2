#include "syncrelay/post/outbox.h"

namespace syncrelay {

template <typename Put>
void Outbox::put_and_wake(Put put) {
  bool woken = false;
  {
    const std::lock_guard lock(mutex_);
    put(waiting_);
    woken = std::exchange(woken_, true);
  }
  if (!woken) wake_();
}

void Outbox::put(Reported reported) {
  put_and_wake([&](Waiting& waiting) { waiting.reported.push_back(std::move(reported)); });
}

void Outbox::put(Subscribers subscribers) {
  const std::lock_guard lock(mutex_);
  waiting_.subscribers[std::move(subscribers.channel)] = subscribers.count;
}

void Outbox::put(Attendance attendance) {
  put_and_wake([&](Waiting& waiting) {
    std::pair<std::string, std::string> matter(attendance.channel, attendance.id);
    waiting.attendances.insert_or_assign(std::move(matter), std::move(attendance));
  });
}

void Outbox::put(Dismissed dismissed) {
  put_and_wake([&](Waiting& waiting) { waiting.dismissed.push_back(dismissed); });
}

void Outbox::put(Browsed browsed) {
  put_and_wake([&](Waiting& waiting) { waiting.browsed.push_back(std::move(browsed)); });
}

void Outbox::put(Told told) {
  put_and_wake([&](Waiting& waiting) { waiting.told.push_back(std::move(told)); });
}

bool Outbox::put(Said said) {
  bool taken = false;
  put_and_wake([&](Waiting& waiting) {
    const std::size_t bytes = said_bytes_ + weight(said);
    taken = waiting.said.size() < kMaxSaid && bytes <= kMaxSaidBytes;
    if (!taken) return;
    said_bytes_ = bytes;
    waiting.said.push_back(std::move(said));
  });
  return taken;
}

void Outbox::put(Notice notice) {
  put_and_wake([&](Waiting& waiting) {
    Noticed& noticed = waiting.noticed;
    if (noticed.notices.size() == kMaxNotices) {
      noticed.notices.pop_front();
      ++noticed.dropped;
    }
    noticed.notices.push_back(std::move(notice));
  });
}

void Outbox::take(std::vector<UpLetter>& letters) {
  letters.clear();
  Waiting taken;
  {
    const std::lock_guard lock(mutex_);
    std::swap(taken, waiting_);
    said_bytes_ = 0;
    woken_ = false;
  }
  for (auto& [channel, count] : taken.subscribers)
    letters.emplace_back(Subscribers{channel, count});
  for (auto& [matter, attendance] : taken.attendances) letters.emplace_back(std::move(attendance));
  if (!taken.noticed.notices.empty()) letters.emplace_back(std::move(taken.noticed));
  for (Said& said : taken.said) letters.emplace_back(std::move(said));
  for (const Dismissed& dismissed : taken.dismissed) letters.emplace_back(dismissed);
  for (Browsed& browsed : taken.browsed) letters.emplace_back(std::move(browsed));
  for (Told& told : taken.told) letters.emplace_back(std::move(told));
  for (Reported& report : taken.reported) letters.emplace_back(std::move(report));
}

}  // namespace syncrelay
