#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/protocol/worker_event.h"
#include "syncrelay/relay/order.h"

namespace syncrelay {

// Workers that wait for messages or notices, in the order in which they came. Relay thread only;
// time is passed in.
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
  // All that any of them waits for.
  WorkerEvents asked() const;
  // Who waits longest of those that ask for any of these; it waits no more. nullopt: nobody does.
  std::optional<Receiver> take_first(WorkerEvents events);
  // Takes those away who are gone, of each of whom `gone(ticket)` is asked.
  template <typename Gone>
  void remove_if(Gone gone) {
    std::vector<std::uint64_t> places;
    for (const auto& [place, receiver] : waiting_) {
      if (gone(receiver.ticket)) places.push_back(place);
    }
    for (const std::uint64_t place : places) take(place);
  }
  // One whose time is over; nullopt: there is none.
  std::optional<Receiver> take_expired(TimePoint now);
  // When the first one's time is over; nullopt: nobody waits.
  std::optional<TimePoint> next_end() const;

 private:
  Receiver take(std::uint64_t place);
  std::set<std::uint64_t>& places(WorkerEvent event) {
    return places_[static_cast<std::size_t>(event)];
  }

  const std::size_t max_;
  std::map<std::uint64_t, Receiver> waiting_;                             // by place in the queue
  std::array<std::set<std::uint64_t>, kWorkerEventNames.size()> places_;  // by what they ask for
  std::set<std::pair<TimePoint, std::uint64_t>> ends_;                    // and place
  std::uint64_t next_place_ = 0;
};

}  // namespace syncrelay
