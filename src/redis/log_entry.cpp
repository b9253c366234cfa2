#include "redis/log_entry.h"

#include <array>
#include <string>

#include "redis/words.h"

namespace syncrelay {
namespace {

constexpr std::size_t kFields = 14;  // names and values; a later version may add others behind
constexpr std::array<std::string_view, kFields / 2> kNames = {"v", "k", "g", "n", "r", "b", "d"};

std::optional<LogEntry::Kind> kind_of(std::string_view text) {
  if (text == "l") return LogEntry::Kind::letters;
  if (text == "g") return LogEntry::Kind::gone;
  if (text == "f") return LogEntry::Kind::founded;
  return std::nullopt;
}

std::string mark_of(const LogEntry& entry) {
  return std::to_string(entry.generation) + ':' + std::to_string(entry.n) + ':' +
         entry.relay.text() + ':' + std::to_string(entry.batch);
}

}  // namespace

std::optional<LogEntry> LogEntry::read(RedisValue value) {
  const RedisValue fields = value[1];
  if (fields.size() < kFields || fields[1].text() != "1") return std::nullopt;
  for (std::size_t at = 0; at < kNames.size(); ++at) {
    if (fields[2 * at].text() != kNames[at]) return std::nullopt;
  }
  LogEntry entry;
  const auto id = EntryId::parse(value[0].text());
  const auto kind = kind_of(fields[3].text());
  const auto relay = NodeId::parse(fields[9].text());
  if (!id || !kind || !relay || !read_number(fields[5].text(), entry.generation) ||
      !read_number(fields[7].text(), entry.n) || !read_number(fields[11].text(), entry.batch))
    return std::nullopt;
  entry.id = *id;
  entry.kind = *kind;
  entry.relay = *relay;
  entry.data = fields[13].text();
  return entry;
}

Position LogEntry::position() const {
  return {id, mark_of(*this), generation, n};
}

}  // namespace syncrelay
