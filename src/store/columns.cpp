#include "columns.h"

#include <chrono>

#include "big_endian.h"

namespace syncrelay {

std::string encode_expiry(const std::optional<Expiry>& expiry) {
  std::string column;
  if (!expiry) return column;
  column += expiry->told ? '\1' : '\0';
  append_number(column, static_cast<std::uint64_t>(expiry->at.microseconds));
  append_number(column, static_cast<std::uint64_t>(expiry->after.count()));
  return column;
}

bool decode_expiry(std::string_view column, std::optional<Expiry>& expiry) {
  if (column.empty()) return true;
  if (column.size() != 1 + 2 * kNumberBytes) return false;
  expiry.emplace();
  expiry->told = column.front() != '\0';
  column.remove_prefix(1);
  expiry->at.microseconds = static_cast<std::int64_t>(take_number(column));
  expiry->after = std::chrono::milliseconds(take_number(column));
  return true;
}

std::string encode_channels(const Position& position) {
  const std::uint64_t channels = position.sum_of(Table::channels);
  const std::uint64_t tombstones = position.sum_of(Table::tombstones);
  std::string column;
  if (position.generation == 0 && channels == 0 && tombstones == 0) return column;
  append_number(column, position.generation);
  append_number(column, channels);
  append_number(column, tombstones);
  return column;
}

bool decode_channels(std::string_view column, Position& position) {
  if (column.empty()) return true;
  if (column.size() != 3 * kNumberBytes) return false;
  position.generation = take_number(column);
  position.sum_of(Table::channels) = take_number(column);
  position.sum_of(Table::tombstones) = take_number(column);
  return true;
}

std::string encode_inbox(const Position& position) {
  std::string column;
  if (position.next_message == 1 && !position.received && position.sum_of(Table::refs) == 0)
    return column;
  append_number(column, position.next_message);
  column += position.received ? '\1' : '\0';
  append_number(column, position.sum_of(Table::inbox));
  append_number(column, position.sum_of(Table::refs));
  return column;
}

bool decode_inbox(std::string_view column, Position& position) {
  if (column.empty()) return true;
  if (column.size() != 1 + 3 * kNumberBytes) return false;
  position.next_message = take_number(column);
  position.received = column.front() != '\0';
  column.remove_prefix(1);
  position.sum_of(Table::inbox) = take_number(column);
  position.sum_of(Table::refs) = take_number(column);
  return true;
}

}  // namespace syncrelay
