#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace syncrelay {

// Makes checkpoints, one after the other, on a thread of its own, which begins with the first. All
// methods are for one thread, the user's.
class CheckpointMaker {
 public:
  // What it holds is let go of on the user's thread, see let_go().
  using Work = std::function<std::string()>;
  // Runs on the maker's thread.
  using Done = std::function<void(std::uint64_t number, std::string made)>;

  explicit CheckpointMaker(Done done) : done_(std::move(done)) {}
  ~CheckpointMaker() { stop(); }
  CheckpointMaker(const CheckpointMaker&) = delete;
  CheckpointMaker& operator=(const CheckpointMaker&) = delete;

  // In the place of what has not been begun: only the newest is of use.
  void make(std::uint64_t number, Work work);

  // Of the works that are done. To be called now and then, at the latest behind `done`.
  void let_go();

  // Waits for the one that is being made; there are no more.
  void stop();

 private:
  struct Job {
    std::uint64_t number;
    Work work;
  };

  void run();
  std::optional<Job> next();

  const Done done_;
  std::mutex mutex_;  // guards all below but the thread
  std::condition_variable changed_;
  std::optional<Job> waiting_;
  std::vector<Work> over_;
  bool stopping_ = false;
  std::atomic<bool> any_over_{false};
  std::thread thread_;
};

}  // namespace syncrelay
