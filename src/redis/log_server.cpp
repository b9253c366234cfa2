#include "redis/log_server.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "redis/hex.h"
#include "redis/words.h"
#include "syncrelay/base/crc64.h"

namespace syncrelay {
namespace {

RedisError nonsense(std::string what) {
  return {RedisError::Kind::broken, std::move(what)};
}

std::string milliseconds_text(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

Duration patience_for(std::size_t bytes) {
  return LogServer::kPatience + LogServer::kPatiencePerMiB * (bytes >> 20);
}

std::string id_text(const Position& position) {
  return position.is_nothing() ? "" : position.id.text();
}

bool read_course(std::string_view text, Survey::Course& course) {
  if (text != "replica" && text != "doubt" && text != "settled") return false;
  course = text == "replica" ? Survey::Course::replica
           : text == "doubt" ? Survey::Course::doubt
                             : Survey::Course::settled;
  return true;
}

Survey::Hold hold_of(std::string_view text) {
  if (text == "held") return Survey::Hold::held;
  if (text == "trimmed") return Survey::Hold::trimmed;
  return text == "none" ? Survey::Hold::none : Survey::Hold::lost;
}

Survey::Standing standing_of(std::string_view text) {
  if (text == "registered") return Survey::Standing::registered;
  return text == "gone" ? Survey::Standing::gone : Survey::Standing::unknown;
}

Result<Survey, RedisError> read_survey(RedisValue value) {
  Survey survey;
  if (!read_course(value[0].text(), survey.course) ||
      !read_number(value[5].text(), survey.generation) || !read_number(value[6].text(), survey.n) ||
      !read_number(value[10].text(), survey.last_batch))
    return nonsense("no survey");
  survey.hold = hold_of(value[1].text());
  survey.standing = standing_of(value[2].text());
  survey.others = static_cast<std::uint64_t>(value[3].integer());
  survey.epoch = value[4].text();
  survey.settings = value[7].text();
  survey.replid = value[11].text();
  std::uint64_t milliseconds = 0;
  if (!read_number(value[12].text(), milliseconds)) return nonsense("no time");
  survey.now.microseconds = static_cast<std::int64_t>(milliseconds) * 1000;
  survey.eviction = value[13].text();
  survey.late = static_cast<std::uint64_t>(value[15].integer());
  survey.whole = value[14].integer() == 1;
  for (const std::size_t at : {std::size_t{9}, std::size_t{8}}) {
    if (auto record = CheckpointRecord::parse(value[at].text()))
      survey.checkpoints.push_back(std::move(*record));
  }
  return survey;
}

}  // namespace

LogServer::Answer<LogServer> LogServer::open(const Dialer& dialer, const LogKeys& keys,
                                             const Wake& interrupt) {
  auto connection = dialer.dial(interrupt);
  if (!connection) return connection.error();
  LogServer server(std::move(connection).value(), keys);
  if (auto loaded = server.load(); !loaded) return loaded.error();
  return server;
}

LogServer::Answer<void> LogServer::load() {
  for (std::size_t index = 0; index < kScripts; ++index) {
    const std::string text = text_of(static_cast<Script>(index));
    const std::array<std::string_view, 3> words = {"SCRIPT", "LOAD", text};
    const auto reply = connection_.call(words, kPatience);
    if (!reply) return reply.error();
    sums_[index] = reply.value().value().text();
  }
  return {};
}

LogServer::Words LogServer::command(Script script, const Words& arguments,
                                    const Words& more_keys) const {
  static_assert(LogKeys::kCount == 6);
  Words words = {"EVALSHA", sums_[static_cast<std::size_t>(script)], "6"};
  words.insert(words.end(), keys_->names.begin(), keys_->names.end());
  words.insert(words.end(), more_keys.begin(), more_keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

LogServer::Answer<RedisReply> LogServer::run(Script script, const Words& arguments,
                                             const Words& more_keys) {
  Words words = command(script, arguments, more_keys);
  const std::string keys = std::to_string(LogKeys::kCount + more_keys.size());
  words[2] = keys;
  return connection_.call(words, kPatience);
}

LogServer::Word LogServer::word(Script script, const Words& arguments, const Words& more_keys) {
  const auto reply = run(script, arguments, more_keys);
  if (!reply) return reply.error();
  return std::string(reply.value().value().text());
}

LogServer::Answer<Survey> LogServer::survey(NodeId relay, const Position& position,
                                            Duration silent) {
  const std::string name = relay.text(), id = id_text(position),
                    generation = std::to_string(position.generation),
                    n = std::to_string(position.n), limit = milliseconds_text(silent),
                    late = milliseconds_text(Survey::kLate * silent);
  const auto reply = run(Script::survey, {name, id, position.mark, generation, n, limit, late});
  if (!reply) return reply.error();
  return read_survey(reply.value().value());
}

LogServer::Word LogServer::enter(std::string_view epoch, NodeId relay, std::uint64_t batch) {
  const std::string name = relay.text(), number = std::to_string(batch);
  return word(Script::enter, {epoch, name, number});
}

LogServer::Word LogServer::look(std::string_view epoch) {
  return word(Script::look, {epoch});
}

LogServer::Word LogServer::leave(std::string_view epoch, NodeId relay) {
  const std::string name = relay.text();
  return word(Script::leave, {epoch, name});
}

LogServer::Word LogServer::turn(std::string_view epoch, NodeId relay, std::uint64_t n,
                                std::uint64_t every) {
  const std::string name = relay.text(), number = std::to_string(n), way = std::to_string(every);
  return word(Script::turn, {epoch, name, number, way});
}

LogServer::Word LogServer::record(std::string_view epoch, NodeId relay,
                                  const CheckpointRecord& record) {
  const std::string name = relay.text(), n = std::to_string(record.position.n),
                    text = record.text();
  const std::vector<std::string> parts = parts_of(record);
  return word(Script::record, {epoch, name, n, text}, Words(parts.begin(), parts.end()));
}

LogServer::Word LogServer::doubt(std::string_view epoch, std::string_view why) {
  return word(Script::doubt, {epoch, why});
}

LogServer::Answer<LogServer::Beat> LogServer::beat(std::string_view epoch, NodeId relay,
                                                   Duration silent, Duration pause) {
  const std::string name = relay.text(), limit = milliseconds_text(silent),
                    away = milliseconds_text(pause);
  const auto reply = run(Script::beat, {epoch, name, limit, away});
  if (!reply) return reply.error();
  const RedisValue value = reply.value().value();
  Beat beat{std::string(value[0].text()), 0, {}};
  if (const auto newest = CheckpointRecord::parse(value[1].text()))
    beat.newest = newest->position.n;
  for (std::size_t at = 2; at < value.size(); ++at) {
    if (const auto other = NodeId::parse(value[at].text())) beat.others.push_back(*other);
  }
  return beat;
}

LogServer::Word LogServer::bid(const Bid& bid) {
  const std::string name = bid.relay.text(), id = id_text(bid.position),
                    generation = std::to_string(bid.position.generation),
                    n = std::to_string(bid.position.n), wait = milliseconds_text(bid.wait),
                    live = milliseconds_text(bid.live);
  Words words = {name, id,   bid.position.mark, generation, n, bid.same_settings ? "1" : "0",
                 wait, live, bid.epoch};
  std::vector<std::string> known;
  known.reserve(bid.known.size());
  for (const NodeId relay : bid.known) known.push_back(relay.text());
  words.insert(words.end(), known.begin(), known.end());
  return word(Script::bid, words);
}

LogServer::Word LogServer::found(const Founding& founding) {
  const std::string name = founding.relay.text(), generation = std::to_string(founding.generation),
                    n = std::to_string(founding.position.n),
                    least = std::to_string(founding.position.id.milliseconds + 1),
                    beginning = founding.checkpoint.beginning(), end = founding.checkpoint.end();
  const std::vector<std::string> parts = parts_of(founding.checkpoint);
  std::vector<std::string> ledger;
  for (const auto& [relay, batch] : founding.ledger) {
    ledger.push_back(relay.text());
    ledger.push_back(std::to_string(batch));
  }
  Words words = {name, founding.epoch, generation, n, founding.settings, least, beginning, end};
  words.insert(words.end(), ledger.begin(), ledger.end());
  return word(Script::found, words, Words(parts.begin(), parts.end()));
}

void LogServer::append(std::string_view epoch, NodeId relay, std::uint64_t batch,
                       std::string_view data) {
  const std::string name = relay.text(), number = std::to_string(batch);
  connection_.send(command(Script::append, {epoch, name, number, data}, {}));
  unanswered_.push_back(data.size());
  unanswered_bytes_ += data.size();
}

LogServer::Word LogServer::appended() {
  const auto reply = connection_.receive(patience_for(unanswered_bytes_));
  if (!reply && reply.error().kind != RedisError::Kind::refused) return reply.error();
  if (!unanswered_.empty()) {
    unanswered_bytes_ -= unanswered_.front();
    unanswered_.pop_front();
  }
  if (!reply) return reply.error();
  return std::string(reply.value().value().text());
}

void LogServer::read_behind(EntryId id, std::size_t entries, Duration block) {
  const std::string count = std::to_string(entries), behind = id.text(),
                    time = milliseconds_text(block);
  if (block == Duration::zero()) {
    const std::array<std::string_view, 6> words = {"XREAD",   "COUNT",      count,
                                                   "STREAMS", keys_->log(), behind};
    connection_.send(words);
  } else {
    const std::array<std::string_view, 8> words = {"XREAD", "COUNT",   count,        "BLOCK",
                                                   time,    "STREAMS", keys_->log(), behind};
    connection_.send(words);
  }
}

LogServer::Answer<CheckpointRecord> LogServer::put(std::string_view bytes,
                                                   const std::function<bool()>& between) {
  CheckpointRecord record;
  record.name = to_hex(random_number());
  record.bytes = bytes.size();
  record.sum = Crc64().add(bytes).value();
  const std::string seconds = std::to_string(kPartSeconds);
  do {
    const std::string key = keys_->part(record.name, record.parts++);
    const std::array<std::string_view, 5> words = {"SET", key, bytes.substr(0, kPartBytes), "EX",
                                                   seconds};
    const auto reply = connection_.call(words, patience_for(kPartBytes));
    if (!reply) return reply.error();
    bytes.remove_prefix(std::min(bytes.size(), kPartBytes));
    if (!between()) return nonsense("given up");
  } while (!bytes.empty());
  return record;
}

LogServer::Answer<std::string> LogServer::get(const CheckpointRecord& record) {
  std::string bytes;
  bytes.reserve(std::min<std::uint64_t>(record.bytes, record.parts * kPartBytes));
  for (const std::string& part : parts_of(record)) {
    const std::array<std::string_view, 2> words = {"GET", part};
    const auto reply = connection_.call(words, kPatience);
    if (!reply) return RedisError{RedisError::Kind::broken, reply.error().what};
    bytes += reply.value().value().text();
  }
  if (bytes.size() != record.bytes || Crc64().add(bytes).value() != record.sum)
    return RedisError{RedisError::Kind::refused, "the checkpoint is damaged"};
  return bytes;
}

std::vector<std::string> LogServer::parts_of(const CheckpointRecord& record) const {
  std::vector<std::string> parts;
  for (std::uint64_t part = 0; part < record.parts; ++part)
    parts.push_back(keys_->part(record.name, part));
  return parts;
}

}  // namespace syncrelay
