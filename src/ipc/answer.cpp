#include "answer.h"

#include <algorithm>
#include <cstdio>

#include "syncrelay/base/utf8.h"
#include "syncrelay/json/json_text.h"

namespace syncrelay {
namespace {

std::string begin(const AnswerContext& context) {
  std::string answer = R"({"ok":true,"seq":)" + std::to_string(context.seq.value);
  answer.append(R"(,"epoch":")").append(context.epoch);
  return answer + R"(","clients":)" + std::to_string(context.clients);
}

// The answer to the query "clients" has the clients themselves where others have their number.
std::string begin_without_clients(const AnswerContext& context) {
  std::string answer = R"({"ok":true,"seq":)" + std::to_string(context.seq.value);
  return answer.append(R"(,"epoch":")").append(context.epoch) + '"';
}

void append_member(std::string& out, const std::string& name, std::string_view value) {
  if (out.back() != '{') out += ',';
  append_json_string(out, name);
  out += ':';
  out += value;
}

void append_member(std::string& out, const std::string& name, std::uint64_t value) {
  append_member(out, name, std::string_view(std::to_string(value)));
}

std::string seconds(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

std::string client(const ClientInfo& info) {
  std::string object = R"({"id":)" + std::to_string(info.id.value) + R"(,"address":)";
  append_json_string(object, info.address);
  object += R"(,"since":)";
  append_timestamp(object, info.since);
  object += R"(,"lag":)" + std::to_string(info.lag) + R"(,"bytes":)" + std::to_string(info.bytes);
  return object + R"(,"last_pong":)" + seconds(info.last_sign_of_life) + '}';
}

template <typename Get>
std::uint64_t sum(const std::vector<const ShardStats*>& shards, Get get) {
  std::uint64_t total = 0;
  for (const ShardStats* shard : shards) total += get(*shard);
  return total;
}

template <typename Get>
std::uint64_t most(const std::vector<const ShardStats*>& shards, Get get) {
  std::uint64_t value = 0;
  for (const ShardStats* shard : shards) value = std::max(value, get(*shard));
  return value;
}

template <typename Counters>
std::uint64_t total(const Counters& counters) {
  std::uint64_t value = 0;
  for (const Counter& counter : counters) value += counter.get();
  return value;
}

}  // namespace

std::string accepted_answer(const AnswerContext& context, bool duplicate) {
  return begin(context) + (duplicate ? R"(,"duplicate":true})" : "}");
}

std::string rejected_answer(const Rejection& rejection) {
  std::string answer =
      R"({"ok":false,"error":{"code":")" + std::string(name(rejection.reason)) + R"(","message":)";
  append_json_string(answer, as_utf8(rejection.detail));
  return answer + R"(,"offset":)" + std::to_string(rejection.offset) + "}}";
}

std::string state_answer(const AnswerContext& context, const State& state, const std::string& key) {
  std::string answer = begin(context) + R"(,"state":{)";
  const auto append = [&answer](const State::Entry& entry) {
    append_member(answer, entry.key, std::string_view(*entry.value));
  };
  if (key.empty()) {
    state.for_each(append);
  } else if (const State::Entry* found = state.entry(key)) {
    append(*found);
  }
  return answer + "}}";
}

std::string backup_answer(const AnswerContext& context, const std::string& path) {
  std::string answer = begin(context) + R"(,"backup":)";
  append_json_string(answer, path);
  return answer + '}';
}

std::string clients_answer(const AnswerContext& context, const std::vector<ClientInfo>& clients) {
  std::string answer = begin_without_clients(context) + R"(,"clients":[)";
  for (const ClientInfo& info : clients) {
    if (answer.back() != '[') answer += ',';
    answer += client(info);
  }
  return answer + "]}";
}

std::string stats_answer(const AnswerContext& context, const RelayStats& relay,
                         const std::vector<const ShardStats*>& shards) {
  std::string answer = begin(context) + R"(,"stats":{)";
  append_member(answer, "commands", total(relay.commands));
  append_member(answer, "commands_rejected", total(relay.rejected));
  append_member(answer, "duplicates", relay.duplicates.get());
  append_member(answer, "ids", relay.ids.get());
  append_member(answer, "events", relay.events.get());
  append_member(answer, "state_keys", relay.state_keys.get());
  append_member(answer, "state_bytes", relay.state_bytes.get());
  append_member(answer, "log_events",
                most(shards, [](const ShardStats& shard) { return shard.log_events.get(); }));
  append_member(answer, "log_bytes",
                most(shards, [](const ShardStats& shard) { return shard.log_bytes.get(); }));
  append_member(answer, "clients_accepted",
                sum(shards, [](const ShardStats& shard) { return shard.accepted.get(); }));
  append_member(answer, "slow_clients",
                sum(shards, [](const ShardStats& shard) { return shard.slow_clients.get(); }));
  append_member(answer, "lag_events_max",
                most(shards, [](const ShardStats& shard) { return shard.lag_events_max.get(); }));
  append_member(answer, "skipped_events",
                sum(shards, [](const ShardStats& shard) { return shard.skipped_events.get(); }));
  append_member(answer, "resumes",
                sum(shards, [](const ShardStats& shard) { return shard.resumes.get(); }));
  append_member(answer, "bytes_sent",
                sum(shards, [](const ShardStats& shard) { return shard.bytes_sent.get(); }));
  return answer + "}}";
}

}  // namespace syncrelay
