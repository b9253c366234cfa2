#include "syncrelay/post/errands.h"

#include <utility>

namespace syncrelay {
namespace {

constexpr std::size_t kMaxSmallAnswer = 4096;              // not worth accounting for
constexpr std::size_t kMaxUnreadBytes = 64 * 1024 * 1024;  // one answer may be larger

}  // namespace

Errands::Errands(std::function<void()> to_relay, std::function<void()> to_door)
    : to_relay_(std::move(to_relay)), to_door_(std::move(to_door)) {}

bool Errands::send(Errand errand) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    open_.insert(errand.number);
    waiting_.push_back(std::move(errand));
  }
  to_relay_();
  return true;
}

void Errands::withdraw(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  open_.erase(number);
}

void Errands::take(std::vector<ErrandAnswer>& answers) {
  answers.clear();
  const std::lock_guard lock(mutex_);
  answers.swap(answers_);
}

bool Errands::take(Errand& errand) {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) return false;
  errand = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

bool Errands::has_room(std::size_t answer_bytes) const {
  const std::size_t unread = unread_.load();
  return answer_bytes <= kMaxSmallAnswer || unread == 0 || unread + answer_bytes <= kMaxUnreadBytes;
}

bool Errands::answer(ErrandAnswer answer) {
  {
    const std::lock_guard lock(mutex_);
    if (open_.erase(answer.number) == 0) return false;
    unread_.fetch_add(answer.text.size());
    answers_.push_back(std::move(answer));
  }
  to_door_();
  return true;
}

void Errands::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    waiting_.clear();
  }
  to_door_();
}

}  // namespace syncrelay
