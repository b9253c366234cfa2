#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "syncrelay/post/letter.h"

namespace syncrelay {

// Letters from one shard to the relay. Thread-safe. Putting one in never waits, so that no client
// can make a shard wait for the relay; it is bounded by holding at most one unread letter of each
// matter: the number of subscribers of a channel (as many as the shard has channels), who attends a
// channel (as many as clients have come and gone there since the relay has looked), and an answer
// to an inquiry (as many as are under way).
class Outbox {
 public:
  // `wake` runs on the shard's thread when somebody may wait for what was put in: the first report,
  // the first attendance. It must not block. Numbers of subscribers lie until the relay looks.
  explicit Outbox(std::function<void()> wake) : wake_(std::move(wake)) {}
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  void put(Reported reported);
  // Replaces what is unread about the same channel.
  void put(Subscribers subscribers);
  // Replaces what is unread about the same identity in the same channel.
  void put(Attendance attendance);

  // Replaces the content of `letters` by everything that waits, reports last.
  void take(std::vector<UpLetter>& letters);

 private:
  const std::function<void()> wake_;
  std::mutex mutex_;  // guards all below
  std::vector<Reported> reported_;
  std::unordered_map<std::string, std::uint64_t> subscribers_;
  std::unordered_map<std::string, Attendance> attendances_;  // by channel and id
};

}  // namespace syncrelay
