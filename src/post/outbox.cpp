#include "syncrelay/post/outbox.h"

#include <utility>

namespace syncrelay {

void Outbox::put(Reported reported) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = reported_.empty();
    reported_.push_back(std::move(reported));
  }
  if (was_empty) wake_();
}

void Outbox::put(Subscribers subscribers) {
  const std::lock_guard lock(mutex_);
  subscribers_[std::move(subscribers.channel)] = subscribers.count;
}

void Outbox::put(Attendance attendance) {
  std::string key = attendance.channel + ' ' + attendance.id;
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    was_empty = attendances_.empty();
    attendances_.insert_or_assign(std::move(key), std::move(attendance));
  }
  if (was_empty) wake_();
}

void Outbox::take(std::vector<UpLetter>& letters) {
  letters.clear();
  std::vector<Reported> reported;
  std::unordered_map<std::string, std::uint64_t> subscribers;
  std::unordered_map<std::string, Attendance> attendances;
  {
    const std::lock_guard lock(mutex_);
    reported.swap(reported_);
    subscribers.swap(subscribers_);
    attendances.swap(attendances_);
  }
  for (auto& [channel, count] : subscribers) letters.emplace_back(Subscribers{channel, count});
  for (auto& [key, attendance] : attendances) letters.emplace_back(std::move(attendance));
  for (Reported& report : reported) letters.emplace_back(std::move(report));
}

}  // namespace syncrelay
