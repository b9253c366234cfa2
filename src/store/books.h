#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace syncrelay {

// A row of `events` or `ids`: what has to be known to delete it in time.
struct EventsRow {
  std::uint64_t first;
  std::uint64_t count;
  std::uint64_t bytes;
  std::uint64_t sum;
};
struct IdsRow {
  std::uint64_t batch;
  std::uint64_t accepted;
  std::uint64_t count;
  std::uint64_t sum;
};

// What lies in the tables, without the contents: so that a commit need not read what it replaces.
// Goes with a transaction: begin(), changes, then keep() or undo(). Relay thread only.
class Books {
 public:
  struct Totals {
    std::uint64_t events = 0;
    std::uint64_t event_bytes = 0;
    std::uint64_t ids = 0;
    std::uint64_t state_sum = 0;  // exclusive or of the rows' sums
    std::uint64_t events_sum = 0;
    std::uint64_t ids_sum = 0;
  };
  const Totals& totals() const { return totals_; }

  void add(const EventsRow& row);
  void add(const IdsRow& row);
  void put_state(const std::string& key, std::uint64_t sum);
  void remove_state(const std::string& key);

  // The oldest row; null when the table has no other, which stays in any case.
  const EventsRow* oldest_events() const;
  const IdsRow* oldest_ids() const;
  // Precondition: the oldest is not null.
  void trim_events();
  void trim_ids();

  std::uint64_t next_batch() const { return ids_.empty() ? 1 : ids_.back().batch + 1; }

  void begin();
  void keep();
  void undo();

 private:
  using Sum = std::optional<std::uint64_t>;

  std::deque<EventsRow> events_;  // what is trimmed goes at keep()
  std::deque<IdsRow> ids_;
  std::unordered_map<std::string, std::uint64_t> state_;  // the sum of each key's row
  Totals totals_;

  Totals before_;  // as at begin()
  std::size_t events_before_ = 0;
  std::size_t ids_before_ = 0;
  std::size_t trimmed_events_ = 0;
  std::size_t trimmed_ids_ = 0;
  std::vector<std::pair<std::string, Sum>> state_before_;  // to be applied from the back
};

}  // namespace syncrelay
