#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "syncrelay/base/crc64.h"

namespace syncrelay {

// The sum of a row, over its columns in their order: numbers as they are, bytes behind their
// length. The same as SQL's row_sum() in the migration.
class RowSum {
 public:
  RowSum& add(std::uint64_t number) {
    sum_.add(number);
    return *this;
  }
  RowSum& add(std::string_view bytes) {
    sum_.add(std::uint64_t{bytes.size()}).add(bytes);
    return *this;
  }
  std::uint64_t value() const { return sum_.value(); }

 private:
  Crc64 sum_;
};

inline std::uint64_t state_row_sum(std::string_view channel, std::string_view key,
                                   std::uint64_t version, std::string_view expiry,
                                   std::string_view value) {
  return RowSum().add(channel).add(key).add(version).add(expiry).add(value).value();
}
inline std::uint64_t members_row_sum(std::string_view channel, std::string_view id,
                                     std::string_view value, std::string_view will) {
  return RowSum().add(channel).add(id).add(value).add(will).value();
}
inline std::uint64_t channels_row_sum(std::string_view name, std::uint64_t start,
                                      std::uint64_t last, std::uint64_t generation) {
  return RowSum().add(name).add(start).add(last).add(generation).value();
}
inline std::uint64_t tombstones_row_sum(std::uint64_t hash, std::uint64_t last) {
  return RowSum().add(hash).add(last).value();
}
inline std::uint64_t events_row_sum(std::uint64_t first, std::uint64_t count, std::string_view runs,
                                    std::string_view wire) {
  return RowSum().add(first).add(count).add(runs).add(wire).value();
}
inline std::uint64_t ids_row_sum(std::uint64_t batch, std::uint64_t accepted, std::uint64_t count,
                                 std::string_view records) {
  return RowSum().add(batch).add(accepted).add(count).add(records).value();
}

inline std::uint64_t inbox_row_sum(std::uint64_t n, std::uint64_t connection, std::uint64_t ts,
                                   std::string_view sender, std::string_view channel,
                                   std::string_view text) {
  return RowSum().add(n).add(connection).add(ts).add(sender).add(channel).add(text).value();
}

// The tables whose rows are summed up in the position's row.
enum class Table : std::uint8_t { state, channels, tombstones, events, ids, members, inbox, refs };
inline constexpr std::array<std::string_view, 8> kTableNames = {
    "state", "channels", "tombstones", "events", "ids", "members", "inbox", "refs"};

// Over the sums of all rows of each table, combined by exclusive or: a row that is gone, or back
// again, shows.
using TableSums = std::array<std::uint64_t, kTableNames.size()>;

// The one row of the table `position`, whose columns `channels` and `inbox` (columns.h) hold the
// last of it.
struct Position {
  std::string epoch;
  std::uint64_t seq = 0;           // of the default channel
  std::uint64_t commits = 0;       // transactions so far, under every epoch
  std::uint64_t ran = 0;           // microseconds, see StoreBatch::ran
  std::uint64_t events = 0;        // of the log so far, see StoreBatch::first_event
  std::uint64_t version = 0;       // see StoreBatch
  std::uint64_t generation = 0;    // of the tombstones
  std::uint64_t next_message = 1;  // see InboxChanges
  bool received = false;           // see there
  TableSums sums{};

  std::uint64_t& sum_of(Table table) { return sums[static_cast<std::size_t>(table)]; }
  std::uint64_t sum_of(Table table) const { return sums[static_cast<std::size_t>(table)]; }

  std::uint64_t row_sum(std::string_view channels, std::string_view inbox) const {
    return RowSum()
        .add(epoch)
        .add(seq)
        .add(commits)
        .add(ran)
        .add(events)
        .add(version)
        .add(channels)
        .add(sum_of(Table::state))
        .add(sum_of(Table::events))
        .add(sum_of(Table::ids))
        .add(sum_of(Table::members))
        .add(inbox)
        .value();
  }
};

}  // namespace syncrelay
