#include "syncrelay/redis/checkpoint.h"

#include <utility>

#include "redis/hex.h"
#include "redis/words.h"

namespace syncrelay {
namespace {

constexpr std::size_t kNumberBytes = 8;

void append_number(std::string& bytes, std::uint64_t number) {
  for (std::size_t byte = kNumberBytes; byte-- > 0;)
    bytes += static_cast<char>(static_cast<unsigned char>(number >> (8 * byte)));
}

// Precondition: there are eight bytes.
std::uint64_t take_number(std::string_view& bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes.substr(0, kNumberBytes))
    number = number << 8 | static_cast<unsigned char>(byte);
  bytes.remove_prefix(kNumberBytes);
  return number;
}

}  // namespace

std::optional<CheckpointRecord> CheckpointRecord::parse(std::string_view text) {
  CheckpointRecord record;
  record.name = take_word(text);
  const bool counted =
      read_number(take_word(text), record.parts) && read_number(take_word(text), record.position.n);
  const auto id = EntryId::parse(take_word(text));
  record.position.mark = take_word(text);
  const std::string_view mark = record.position.mark;
  const bool marked = read_number(mark.substr(0, mark.find(':')), record.position.generation);
  const bool sized = read_number(take_word(text), record.bytes);
  const auto sum = from_hex(text);
  if (record.name.empty() || !counted || !id || !marked || !sized || !sum) return std::nullopt;
  record.position.id = *id;
  record.sum = *sum;
  return record;
}

std::string CheckpointRecord::beginning() const {
  return name + ' ' + std::to_string(parts);
}

std::string CheckpointRecord::end() const {
  return std::to_string(bytes) + ' ' + to_hex(sum);
}

std::string CheckpointRecord::text() const {
  return beginning() + ' ' + std::to_string(position.n) + ' ' + position.id.text() + ' ' +
         position.mark + ' ' + end();
}

// In place: a state may be large.
std::string pack_checkpoint(const Ledger& ledger, std::string state) {
  std::string bytes;
  append_number(bytes, ledger.size());
  for (const auto& [relay, batch] : ledger) {
    append_number(bytes, relay.value);
    append_number(bytes, batch);
  }
  state.insert(0, bytes);
  return state;
}

std::optional<UnpackedCheckpoint> unpack_checkpoint(std::string bytes) {
  UnpackedCheckpoint unpacked;
  std::string_view left = bytes;
  if (left.size() < kNumberBytes) return std::nullopt;
  const std::uint64_t relays = take_number(left);
  if (relays > left.size() / (2 * kNumberBytes)) return std::nullopt;
  for (std::uint64_t count = 0; count < relays; ++count) {
    const NodeId relay{take_number(left)};
    unpacked.ledger[relay] = take_number(left);
  }
  bytes.erase(0, bytes.size() - left.size());
  unpacked.state = std::move(bytes);
  return unpacked;
}

}  // namespace syncrelay
