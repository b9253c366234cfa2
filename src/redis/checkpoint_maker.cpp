#include "syncrelay/redis/checkpoint_maker.h"

#include <utility>

namespace syncrelay {

void CheckpointMaker::make(std::uint64_t number, Work work) {
  std::optional<Job> passed_over;
  {
    const std::lock_guard lock(mutex_);
    passed_over = std::exchange(waiting_, Job{number, std::move(work)});
  }
  changed_.notify_one();
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

bool CheckpointMaker::let_go() {
  if (any_over_.exchange(false)) {
    const std::lock_guard lock(mutex_);
    for (Work& work : over_) shedding_.push_back(std::move(work));
    over_.clear();
  }
  if (!shedding_.empty() && !shedding_.back().shed()) shedding_.pop_back();
  return !shedding_.empty();
}

void CheckpointMaker::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void CheckpointMaker::run() {
  while (std::optional<Job> job = next()) {
    std::string made = job->work.make();
    {
      const std::lock_guard lock(mutex_);
      over_.push_back(std::move(job->work));
    }
    any_over_ = true;
    done_(job->number, std::move(made));
  }
}

std::optional<CheckpointMaker::Job> CheckpointMaker::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || waiting_; });
  return stopping_ ? std::nullopt : std::exchange(waiting_, std::nullopt);
}

}  // namespace syncrelay
