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

bool Outbox::put(Said said) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    const std::size_t bytes = said.text.size();
    if (said_.size() >= kMaxSaid || said_bytes_ + bytes > kMaxSaidBytes) return false;
    was_empty = said_.empty();
    said_bytes_ += bytes;
    said_.push_back(std::move(said));
  }
  if (was_empty) wake_();
  return true;
}

void Outbox::take(std::vector<UpLetter>& letters) {
  letters.clear();
  std::vector<Reported> reported;
  std::vector<Said> said;
  std::unordered_map<std::string, std::uint64_t> subscribers;
  {
    const std::lock_guard lock(mutex_);
    reported.swap(reported_);
    said.swap(said_);
    said_bytes_ = 0;
    subscribers.swap(subscribers_);
  }
  for (auto& [channel, count] : subscribers) letters.emplace_back(Subscribers{channel, count});
  for (Said& each : said) letters.emplace_back(std::move(each));
  for (Reported& report : reported) letters.emplace_back(std::move(report));
}

}  // namespace syncrelay
