#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "syncrelay/base/clock.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/relay/order.h"

namespace syncrelay {

// Workers that wait for messages, in the order in which they came. Relay thread only; time is
// passed in.
class Receivers {
 public:
  struct Receiver {
    Ticket ticket;
    WorkerWish wish;
    TimePoint until;  // it waits
  };

  // `max`: as many wait at most.
  explicit Receivers(std::size_t max) : max_(max) {}

  // False: too many wait.
  [[nodiscard]] bool add(Ticket ticket, const WorkerWish& wish, TimePoint now);

  bool empty() const { return waiting_.empty(); }
  // Who waits longest; it waits no more. Precondition: not empty.
  Receiver take_first();
  // One whose time is over; nullopt: there is none.
  std::optional<Receiver> take_expired(TimePoint now);
  // When the first one's time is over; nullopt: nobody waits.
  std::optional<TimePoint> next_end() const;

 private:
  Receiver take(std::uint64_t place);

  const std::size_t max_;
  std::map<std::uint64_t, Receiver> waiting_;           // by place in the queue
  std::set<std::pair<TimePoint, std::uint64_t>> ends_;  // and place
  std::uint64_t next_place_ = 0;
};

}  // namespace syncrelay
