#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace syncrelay {

// What this relay appends, from append() until it has come back from the log: a row of batches with
// ascending numbers. So whatever becomes of Redis, what has not come back can be sent again, and a
// batch is in the log once because its number is. Thread-safe: the user's thread adds, the appender
// sends, the reader says what came back.
class Outgoing {
 public:
  struct Bounds {
    std::size_t bytes;
    std::size_t appends;
  };
  static constexpr std::size_t kBatchBytes = 1 << 20;  // one append that is larger goes alone

  struct Batch {
    std::uint64_t number;
    std::shared_ptr<const std::string> data;  // never changes any more
  };

  explicit Outgoing(Bounds bounds) : bounds_(bounds) {}

  // `appends`: as how many calls it counts. False, and nothing was added: has_room() is false.
  bool add(std::string_view bytes, std::uint64_t appends = 1);
  bool has_room() const;
  bool is_empty() const;  // all has come back

  // The next batch to send; nothing when all have been sent.
  std::optional<Batch> next();
  // All that has not come back is to be sent again.
  void rewind();

  // All batches up to that number are in the log: how many appends that were.
  std::uint64_t came_back(std::uint64_t number);
  std::uint64_t last_back() const;

  // The numbers begin anew with 1, for a relay under a new id. As rewind().
  void renumber();

 private:
  struct Kept {
    std::uint64_t number;
    std::shared_ptr<std::string> data;
    std::uint64_t appends;
    bool sealed;  // somebody has it: nothing is added to it
  };

  bool has_room_locked() const { return bytes_ < bounds_.bytes && appends_ < bounds_.appends; }

  const Bounds bounds_;
  mutable std::mutex mutex_;  // guards all below
  std::deque<Kept> kept_;
  std::size_t unsent_ = 0;  // index of the next to send
  std::size_t bytes_ = 0;   // of all that is kept
  std::size_t appends_ = 0;
  std::uint64_t last_number_ = 0;
  std::uint64_t last_back_ = 0;
};

}  // namespace syncrelay
