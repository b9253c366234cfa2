#pragma once

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

inline std::uint64_t state_row_sum(std::string_view key, std::string_view value) {
  return RowSum().add(key).add(value).value();
}
inline std::uint64_t events_row_sum(std::uint64_t first, std::uint64_t count,
                                    std::string_view wire) {
  return RowSum().add(first).add(count).add(wire).value();
}
inline std::uint64_t ids_row_sum(std::uint64_t batch, std::uint64_t accepted, std::uint64_t count,
                                 std::string_view records) {
  return RowSum().add(batch).add(accepted).add(count).add(records).value();
}

// The one row of the table `position`.
struct Position {
  std::string epoch;
  std::uint64_t seq = 0;
  std::uint64_t commits = 0;  // transactions so far, under every epoch
  std::uint64_t ran = 0;      // microseconds, see StoreBatch::ran
  // Over the sums of all rows of these tables, combined by exclusive or: a row that is gone, or
  // back again, shows.
  std::uint64_t state_sum = 0;
  std::uint64_t events_sum = 0;
  std::uint64_t ids_sum = 0;

  std::uint64_t row_sum() const {
    return RowSum()
        .add(epoch)
        .add(seq)
        .add(commits)
        .add(ran)
        .add(state_sum)
        .add(events_sum)
        .add(ids_sum)
        .value();
  }
};

}  // namespace syncrelay
