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
  struct Work {
    std::function<std::string()> make;  // on the maker's thread
    // Lets go of some of what `make` needed, on the user's thread. False: nothing is left of it.
    std::function<bool()> shed;
  };
  // Runs on the maker's thread.
  using Done = std::function<void(std::uint64_t number, std::string made)>;

  explicit CheckpointMaker(Done done) : done_(std::move(done)) {}
  ~CheckpointMaker() { stop(); }
  CheckpointMaker(const CheckpointMaker&) = delete;
  CheckpointMaker& operator=(const CheckpointMaker&) = delete;

  // In the place of what has not been begun: only the newest is of use.
  void make(std::uint64_t number, Work work);

  // Of some of what works that are done have needed; true: there is more. To be called now and
  // then, at the latest behind `done`.
  bool let_go();

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
  std::mutex mutex_;  // guards all below but what is the user's, and the thread
  std::condition_variable changed_;
  std::optional<Job> waiting_;
  std::vector<Work> over_;
  bool stopping_ = false;
  std::atomic<bool> any_over_{false};
  std::vector<Work> shedding_;  // the user's
  std::thread thread_;
};

}  // namespace syncrelay
