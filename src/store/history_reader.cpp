#include "history_reader.h"

#include <chrono>
#include <utility>

#include "columns.h"
#include "damage.h"
#include "id_records.h"
#include "syncrelay/channel/member.h"
#include "syncrelay/json/json_parts.h"
#include "syncrelay/protocol/frame.h"
#include "window_check.h"

namespace syncrelay {
namespace {

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

}  // namespace

Result<std::optional<Position>, std::string> HistoryReader::read(StoredHistory& history) {
  std::optional<Position> position;
  Tombstones::ByHash tombstones;
  books_.begin();
  const bool whole = read_position(position) && read_state(history) && read_members(history) &&
                     read_channels(history) && read_tombstones(tombstones) &&
                     read_events(history) && read_ids(Table::ids, history.ids) &&
                     read_inbox(position, history.inbox) &&
                     read_ids(Table::refs, history.inbox.refs) && check_totals(position) &&
                     (!position || check_channels(*position, history));
  if (!whole) return fault_.empty() ? database_.message() : fault_;
  books_.keep();
  if (!position) return position;
  history.epoch = position->epoch;
  history.last = Seq{position->seq};
  history.events_ever = position->events;
  history.version = position->version;
  history.tombstones.restore(tombstones, static_cast<std::uint32_t>(position->generation));
  history.ran = std::chrono::microseconds(position->ran);
  return position;
}

bool HistoryReader::damaged(const std::string& what) {
  fault_ = "is damaged: " + what;
  return false;
}

template <typename Take>
bool HistoryReader::for_each_row(const char* select, Take take) {
  Statement statement;
  if (database_.prepare(select, statement) != SQLITE_OK) return false;
  int result = SQLITE_OK;
  while ((result = statement.step()) == SQLITE_ROW) {
    if (!take(std::as_const(statement))) return false;
  }
  return result == SQLITE_DONE;
}

bool HistoryReader::read_position(std::optional<Position>& position) {
  constexpr char kSelect[] =
      "SELECT epoch, seq, commits, ran, events, version, channels, state_sum, events_sum, ids_sum,"
      " members_sum, sum, inbox FROM position";
  return for_each_row(kSelect, [&](const Statement& row) {
    position = Position{std::string(row.blob(0)),
                        row.number(1),
                        row.number(2),
                        row.number(3),
                        row.number(4),
                        row.number(5)};
    position->sum_of(Table::state) = row.number(7);
    position->sum_of(Table::events) = row.number(8);
    position->sum_of(Table::ids) = row.number(9);
    position->sum_of(Table::members) = row.number(10);
    const bool whole = position->row_sum(row.blob(6), row.blob(12)) == row.number(11) &&
                       decode_channels(row.blob(6), *position) &&
                       decode_inbox(row.blob(12), *position);
    return whole || damaged(kDamagedPosition);
  });
}

bool HistoryReader::read_state(StoredHistory& history) {
  return for_each_row("SELECT channel, key, version, expiry, value, sum FROM state",
                      [&](const Statement& row) { return read_value(row, history); });
}

bool HistoryReader::read_value(const Statement& row, StoredHistory& history) {
  const std::string_view channel = row.blob(0);
  const std::string_view key = row.blob(1);
  const std::string_view value = row.blob(4);
  StoredValue stored{nullptr, row.number(2)};
  if (state_row_sum(channel, key, stored.version, row.blob(3), value) != row.number(5) ||
      !decode_expiry(row.blob(3), stored.expiry) || json_fault(value))
    return damaged(value_of_key(channel, key));
  stored.value = std::make_shared<const std::string>(value);
  books_.turn(Table::state, row.number(5));
  history.state[std::string(channel)].emplace(key, std::move(stored));
  return true;
}

bool HistoryReader::read_members(StoredHistory& history) {
  return for_each_row("SELECT channel, id, value, will, sum FROM members",
                      [&](const Statement& row) { return read_member(row, history); });
}

bool HistoryReader::read_member(const Statement& row, StoredHistory& history) {
  const std::string_view channel = row.blob(0);
  const std::string_view id = row.blob(1);
  const std::string_view value = row.blob(2);
  const std::string_view will = row.blob(3);
  if (members_row_sum(channel, id, value, will) != row.number(4) || json_fault(value) ||
      !is_member_text(value) || (!will.empty() && json_fault(will)))
    return damaged(member_shown(channel, id));
  books_.turn(Table::members, row.number(4));
  StoredMember member{std::string(channel), std::string(id),
                      std::make_shared<const std::string>(value), nullptr};
  if (!will.empty()) member.will = std::make_shared<const std::string>(will);
  history.members[member.channel].push_back(std::move(member));
  return true;
}

bool HistoryReader::read_channels(StoredHistory& history) {
  return for_each_row(
      "SELECT name, start, last, generation, sum FROM channels", [&](const Statement& row) {
        const std::string name(row.blob(0));
        const std::uint64_t sum = row.number(4);
        if (channels_row_sum(name, row.number(1), row.number(2), row.number(3)) != sum)
          return damaged("channel " + shown(name) + " (table channels)");
        books_.turn(Table::channels, sum);
        history.channels.push_back({name, Seq{row.number(1)}, Seq{row.number(2)},
                                    static_cast<std::uint32_t>(row.number(3))});
        return true;
      });
}

bool HistoryReader::read_tombstones(Tombstones::ByHash& tombstones) {
  return for_each_row("SELECT hash, last, sum FROM tombstones", [&](const Statement& row) {
    const std::uint64_t hash = row.number(0);
    if (tombstones_row_sum(hash, row.number(1)) != row.number(2))
      return damaged("tombstone " + std::to_string(hash) + " (table tombstones)");
    books_.turn(Table::tombstones, row.number(2));
    tombstones.emplace(hash, Seq{row.number(1)});
    return true;
  });
}

bool HistoryReader::read_events(StoredHistory& history) {
  return for_each_row("SELECT first, count, runs, wire, sum FROM events ORDER BY first",
                      [&](const Statement& row) { return read_event_row(row, history); });
}

bool HistoryReader::read_event_row(const Statement& row, StoredHistory& history) {
  const std::string_view wire = row.blob(3);
  const EventsRow found{row.number(0), row.number(1), wire.size(), row.number(4)};
  const std::string span = event_span(found.first, found.count);
  if (events_row_sum(found.first, found.count, row.blob(2), wire) != found.sum ||
      !is_whole(wire, found.count))
    return damaged(span + " (table events)");
  auto runs = decode_runs(row.blob(2), found.first, found.count, names_);
  if (!runs) return damaged("the channels of " + span + " (table events)");
  if (next_event_ != 0 && found.first != next_event_)
    return damaged(event_span(next_event_, found.first - next_event_) +
                   " are missing (table events)");
  next_event_ = found.first + found.count;
  books_.add(found);
  history.events.push_back({std::move(*runs), std::string(wire)});
  return true;
}

bool HistoryReader::read_ids(Table table, std::vector<IdRecord>& ids) {
  const std::string name(kTableNames[static_cast<std::size_t>(table)]);
  const std::string select =
      "SELECT batch, accepted, count, records, sum FROM " + name + " ORDER BY batch";
  return for_each_row(select.c_str(), [&](const Statement& row) {
    const std::string_view records = row.blob(3);
    const IdsRow found{row.number(0), row.number(1), row.number(2), row.number(4)};
    const Duration accepted = std::chrono::microseconds(found.accepted);
    if (ids_row_sum(found.batch, found.accepted, found.count, records) != found.sum ||
        !decode_ids(records, accepted, ids))
      return damaged(ids_of_batch(name, found.batch));
    books_.add(table, found);
    return true;
  });
}

bool HistoryReader::read_inbox(const std::optional<Position>& position, StoredInbox& inbox) {
  if (position) {
    inbox.next = position->next_message;
    inbox.received = position->received;
  }
  constexpr char kSelect[] =
      "SELECT n, connection, ts, sender, channel, text, sum FROM inbox ORDER BY n";
  return for_each_row(kSelect, [&](const Statement& row) {
    const std::string_view text = row.blob(5);
    const std::uint64_t sum = row.number(6);
    if (inbox_row_sum(row.number(0), row.number(1), row.number(2), row.blob(3), row.blob(4),
                      text) != sum ||
        row.number(0) >= inbox.next || json_fault(text))
      return damaged("message " + std::to_string(row.number(0)) + " (table inbox)");
    books_.turn(Table::inbox, sum);
    inbox.messages.push_back(
        {row.number(0), row.number(1), WallTime{static_cast<std::int64_t>(row.number(2))},
         std::string(row.blob(3)), std::string(row.blob(4)), std::string(text)});
    return true;
  });
}

// Without a position there is nothing.
bool HistoryReader::check_totals(const std::optional<Position>& position) {
  const TableSums expected = position ? position->sums : TableSums{};
  for (std::size_t table = 0; table < expected.size(); ++table) {
    if (books_.totals().sums[table] != expected[table])
      return damaged(position ? rows_missing(kTableNames[table]) : kDamagedPosition);
  }
  return true;
}

// Whether what the tables say of the channels goes together.
bool HistoryReader::check_channels(const Position& position, StoredHistory& history) {
  BoundsByName bounds = {{"", {Seq{0}, Seq{position.seq}}}};
  for (const StoredChannel& channel : history.channels)
    bounds.emplace(channel.name, Bounds{channel.start, channel.last});
  for (const auto& [channel, values] : history.state) {
    if (bounds.count(channel) == 0)
      return damaged(value_of_key(channel, values.begin()->first) + ": there is no such channel");
  }
  for (const auto& [channel, members] : history.members) {
    if (bounds.count(channel) == 0)
      return damaged(member_shown(channel, members.front().id) + ": there is no such channel");
  }
  if (next_event_ != 0 && next_event_ != position.events + 1)
    return damaged("the log ends at event " + std::to_string(next_event_ - 1) + " of " +
                   std::to_string(position.events) + " (table events)");
  const auto fault = keep_present_life(history.events, std::move(bounds));
  return fault ? damaged(*fault) : true;
}

}  // namespace syncrelay
