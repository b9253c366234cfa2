#include "syncrelay/redis/outgoing.h"

#include <algorithm>

namespace syncrelay {

bool Outgoing::add(std::string_view bytes, std::uint64_t appends) {
  const std::lock_guard lock(mutex_);
  if (!has_room_locked()) return false;
  const bool fits = !kept_.empty() && !kept_.back().sealed &&
                    kept_.back().data->size() + bytes.size() <= kBatchBytes;
  if (!fits) kept_.push_back({++last_number_, std::make_shared<std::string>(), 0, false});
  kept_.back().data->append(bytes);
  kept_.back().appends += appends;
  bytes_ += bytes.size();
  appends_ += appends;
  return true;
}

bool Outgoing::has_room() const {
  const std::lock_guard lock(mutex_);
  return has_room_locked();
}

bool Outgoing::is_empty() const {
  const std::lock_guard lock(mutex_);
  return kept_.empty();
}

std::optional<Outgoing::Batch> Outgoing::next() {
  const std::lock_guard lock(mutex_);
  if (unsent_ == kept_.size()) return std::nullopt;
  Kept& kept = kept_[unsent_++];
  kept.sealed = true;
  return Batch{kept.number, kept.data};
}

void Outgoing::rewind() {
  const std::lock_guard lock(mutex_);
  unsent_ = 0;
}

std::uint64_t Outgoing::came_back(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  std::uint64_t appends = 0;
  while (!kept_.empty() && kept_.front().number <= number) {
    appends += kept_.front().appends;
    bytes_ -= kept_.front().data->size();
    kept_.pop_front();
    if (unsent_ > 0) --unsent_;
  }
  appends_ -= appends;
  last_back_ = std::max(last_back_, number);
  last_number_ = std::max(last_number_, number);
  return appends;
}

std::uint64_t Outgoing::last_back() const {
  const std::lock_guard lock(mutex_);
  return last_back_;
}

void Outgoing::renumber() {
  const std::lock_guard lock(mutex_);
  last_number_ = 0;
  last_back_ = 0;
  unsent_ = 0;
  for (Kept& kept : kept_) kept.number = ++last_number_;
}

}  // namespace syncrelay
