#include "history_reader.h"

#include <chrono>
#include <utility>

#include "id_records.h"
#include "syncrelay/json/json_parts.h"
#include "syncrelay/protocol/frame.h"

namespace syncrelay {
namespace {

// A key may be damaged itself: what is not printable ASCII stands as its code.
std::string shown(std::string_view key) {
  constexpr std::size_t kShown = 64;
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : key.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7F && c != '"' && c != '\\') {
      text += c;
    } else {
      text.append("\\x").append({kDigits[byte / 16], kDigits[byte % 16]});
    }
  }
  return text + (key.size() > kShown ? "…\"" : "\"");
}

// Whether the wire bytes are `count` whole messages.
bool is_whole(std::string_view wire, std::uint64_t count) {
  std::uint64_t messages = 0;
  for (ByteSpan rest = as_bytes(wire); !rest.empty(); ++messages) {
    const std::size_t end = message_end(rest);
    if (end == 0) return false;
    rest = rest.subspan(end);
  }
  return messages == count;
}

std::string seqs(const EventsRow& row) {
  return "events " + std::to_string(row.first) + " to " +
         std::to_string(row.first + row.count - (row.count > 0 ? 1 : 0));
}

}  // namespace

Result<std::optional<Position>, std::string> HistoryReader::read(StoredHistory& history) {
  std::optional<Position> position;
  books_.begin();
  const bool whole = read_position(position) && read_state(history) && read_events(history) &&
                     read_ids(history) && (!position || check_totals(*position, history));
  if (!whole) return fault_.empty() ? database_.message() : fault_;
  books_.keep();
  if (!position) return position;
  history.epoch = position->epoch;
  history.last = Seq{position->seq};
  history.ran = std::chrono::microseconds(position->ran);
  return position;
}

bool HistoryReader::damaged(const std::string& what) {
  fault_ = "is damaged: " + what;
  return false;
}

bool HistoryReader::ended(int result) {
  return result == SQLITE_DONE;
}

bool HistoryReader::read_position(std::optional<Position>& position) {
  Statement select;
  constexpr char kSelect[] =
      "SELECT epoch, seq, commits, ran, state_sum, events_sum, ids_sum, sum FROM position";
  if (database_.prepare(kSelect, select) != SQLITE_OK) return false;
  const int result = select.step();
  if (result != SQLITE_ROW) return ended(result);
  position = Position{std::string(select.blob(0)),
                      select.number(1),
                      select.number(2),
                      select.number(3),
                      select.number(4),
                      select.number(5),
                      select.number(6)};
  if (position->row_sum() != select.number(7)) return damaged("the position (table position)");
  return true;
}

bool HistoryReader::read_state(StoredHistory& history) {
  Statement select;
  if (database_.prepare("SELECT key, value, sum FROM state", select) != SQLITE_OK) return false;
  int result = SQLITE_OK;
  while ((result = select.step()) == SQLITE_ROW) {
    const std::string key(select.blob(0));
    const std::string_view value = select.blob(1);
    if (state_row_sum(key, value) != select.number(2) || json_fault(value))
      return damaged("the value of key " + shown(key) + " (table state)");
    books_.put_state(key, select.number(2));
    history.state[""].emplace(key, StoredValue{std::make_shared<const std::string>(value)});
  }
  return ended(result);
}

bool HistoryReader::read_events(StoredHistory& history) {
  Statement select;
  if (database_.prepare("SELECT first, count, wire, sum FROM events ORDER BY first", select) !=
      SQLITE_OK)
    return false;
  int result = SQLITE_OK;
  while ((result = select.step()) == SQLITE_ROW) {
    const std::string_view wire = select.blob(2);
    const EventsRow row{select.number(0), select.number(1), wire.size(), select.number(3)};
    if (events_row_sum(row.first, row.count, wire) != row.sum || !is_whole(wire, row.count))
      return damaged(seqs(row) + " (table events)");
    books_.add(row);
    history.events.push_back({{{nullptr, Seq{row.first}, row.count}}, std::string(wire)});
  }
  return ended(result);
}

bool HistoryReader::read_ids(StoredHistory& history) {
  Statement select;
  if (database_.prepare("SELECT batch, accepted, count, records, sum FROM ids ORDER BY batch",
                        select) != SQLITE_OK)
    return false;
  int result = SQLITE_OK;
  while ((result = select.step()) == SQLITE_ROW) {
    const std::string_view records = select.blob(3);
    const IdsRow row{select.number(0), select.number(1), select.number(2), select.number(4)};
    const Duration accepted = std::chrono::microseconds(row.accepted);
    if (ids_row_sum(row.batch, row.accepted, row.count, records) != row.sum ||
        !decode_ids(records, accepted, history.ids))
      return damaged("the ids of batch " + std::to_string(row.batch) + " (table ids)");
    books_.add(row);
  }
  return ended(result);
}

bool HistoryReader::check_totals(const Position& position, const StoredHistory& history) {
  const Books::Totals& totals = books_.totals();
  const std::string gone = " has not the rows that it had";
  if (totals.state_sum != position.state_sum) return damaged("table state" + gone);
  if (totals.ids_sum != position.ids_sum) return damaged("table ids" + gone);
  if (totals.events_sum != position.events_sum) return damaged("table events" + gone);
  if (history.events.empty()) return true;
  std::uint64_t next = history.events.front().runs.front().first.value;
  for (const StoredEvents& events : history.events) {
    const StoredRun& run = events.runs.front();
    if (run.first.value != next)
      return damaged("events " + std::to_string(next) + " to " +
                     std::to_string(run.first.value - 1) + " are missing (table events)");
    next += run.count;
  }
  return next == position.seq + 1 ||
         damaged("the log ends at " + std::to_string(next - 1) + ", the position is " +
                 std::to_string(position.seq) + " (table events)");
}

}  // namespace syncrelay
