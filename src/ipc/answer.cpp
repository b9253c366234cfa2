#include "answer.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "received.h"
#include "syncrelay/base/utf8.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/channel_name.h"

namespace syncrelay {
namespace {

void append_position(std::string& out, const ChannelPosition& position,
                     std::string_view log_epoch) {
  out += R"("seq":)" + std::to_string(position.seq.value);
  out.append(R"(,"epoch":")").append(epoch_of(log_epoch, position.generation)) += '"';
}

// The answer to the query "clients" has the clients themselves where others have their number.
std::string begin_without_clients(const AnswerContext& context) {
  std::string answer = R"({"ok":true,)";
  append_position(answer, context.position, context.log_epoch);
  return answer;
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

void append_versions(std::string& out, const Outcome& outcome) {
  if (!outcome.changes) return;
  out += R"(,"versions":{)";
  for (const StateChange& change : *outcome.changes)
    append_member(out, change.key, change.value ? change.version : 0);
  out += '}';
}

void append_cluster(std::string& out, const ClusterStats& cluster, TimePoint now) {
  const auto add = [&out](std::string_view name, const std::string& value) {
    append_member(out, std::string(name), std::string_view(value));
  };
  std::uint64_t round_trips = 0;
  for (std::size_t bucket = 0; bucket <= LatencyHistogram::kBounds.size(); ++bucket)
    round_trips += cluster.round_trip.bucket(bucket);
  const double total = static_cast<double>(cluster.round_trip.sum_microseconds()) / 1e6;
  const std::chrono::duration<double> lag = cluster.lag.at(now);
  add("cluster", "{");
  add("reachable", cluster.reachable() ? "true" : "false");
  add("lag", seconds(lag.count()));
  append_member(out, "relays", cluster.relays.get());
  append_member(out, "entries", cluster.entries.get());
  append_member(out, "appends", cluster.appends.get());
  append_member(out, "letters_under_way", cluster.letters_under_way.get());
  append_member(out, "bytes_under_way", cluster.bytes_under_way.get());
  append_member(out, "round_trips", round_trips);
  add("round_trip_seconds", seconds(total));
  append_member(out, "epoch_changes", cluster.epoch_changes.get());
  add("epochs_founded", "{");
  for (std::size_t cause = 0; cause < kFoundingCauseNames.size(); ++cause)
    append_member(out, std::string(kFoundingCauseNames[cause]), cluster.founded[cause].get());
  out += '}';
  add("checkpoints", "{");
  for (std::size_t outcome = 0; outcome < kCheckpointOutcomeNames.size(); ++outcome)
    append_member(out, std::string(kCheckpointOutcomeNames[outcome]),
                  cluster.checkpoints[outcome].get());
  out += "}}";
}

void append_positions(std::string& out, const std::vector<Outcome>& positions,
                      std::string_view log_epoch) {
  out += R"("positions":{)";
  for (const Outcome& part : positions) {
    if (out.back() != '{') out += ',';
    append_json_string(out, text(part.channel));
    out += ":{";
    append_position(out, part.position, log_epoch);
    append_versions(out, part);
    out += '}';
  }
  out += '}';
}

void append_result(std::string& out, const Outcome& result, std::string_view log_epoch) {
  out += '{';
  if (result.parts) {
    append_positions(out, result.parts->positions, log_epoch);
  } else {
    if (!text(result.channel).empty()) {
      out += R"("channel":)";
      append_json_string(out, text(result.channel));
      out += ',';
    }
    append_position(out, result.position, log_epoch);
    append_versions(out, result);
  }
  out += '}';
}

void append_results(std::string& out, const std::vector<Outcome>& results,
                    std::string_view log_epoch) {
  out += R"(,"results":[)";
  for (const Outcome& result : results) {
    if (out.back() != '[') out += ',';
    append_result(out, result, log_epoch);
  }
  out += ']';
}

std::string_view word_of(Op op) {
  if (op == Op::done) return "done";
  return op == Op::extend ? "extended" : "released";
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

std::string begin_answer(const AnswerContext& context) {
  return begin_without_clients(context) + R"(,"clients":)" + std::to_string(context.clients);
}

std::string accepted_answer(const AnswerContext& context, const Accepted& accepted) {
  std::string answer = begin_answer(context);
  if (accepted.duplicate) return answer + R"(,"duplicate":true})";
  const Outcome& outcome = accepted.outcome;
  append_versions(answer, outcome);
  if (outcome.parts && !outcome.parts->results.empty()) {
    append_results(answer, outcome.parts->results, context.log_epoch);
  } else if (outcome.parts) {
    answer += ',';
    append_positions(answer, outcome.parts->positions, context.log_epoch);
  }
  answer += '}';
  return answer;
}

std::string rejected_answer(const Rejection& rejection) {
  std::string answer =
      R"({"ok":false,"error":{"code":")" + std::string(name(rejection.reason)) + R"(","message":)";
  append_json_string(answer, as_utf8(rejection.detail));
  answer += R"(,"offset":)" + std::to_string(rejection.offset);
  if (!rejection.current.empty()) answer.append(R"(,"current":)").append(rejection.current);
  if (rejection.channel) {
    answer += R"(,"channel":)";
    append_json_string(answer, *rejection.channel);
  }
  if (rejection.index) answer += R"(,"index":)" + std::to_string(*rejection.index);
  return answer + "}}";
}

std::string state_answer(const AnswerContext& context, const State& state, const std::string& key) {
  std::string answer = begin_answer(context) + R"(,"state":{)";
  std::string versions;
  const auto append = [&](const State::Entry& entry) {
    append_member(answer, entry.key, std::string_view(*entry.value));
    if (!versions.empty()) versions += ',';
    append_json_string(versions, entry.key);
    versions += ':' + std::to_string(entry.version);
  };
  if (key.empty()) {
    state.for_each(append);
  } else if (const State::Entry* found = state.entry(key)) {
    append(*found);
  }
  answer.append(R"(},"versions":{)").append(versions) += "}}";
  return answer;
}

std::string members_answer(const AnswerContext& context, const State& members, bool kept) {
  std::string answer = begin_answer(context) + R"(,"members":{)";
  members.for_each([&answer](const State::Entry& entry) {
    append_member(answer, entry.key, std::string_view(*entry.value));
  });
  return answer + (kept ? "}}" : R"(},"kept":false})");
}

std::string backup_answer(const AnswerContext& context, const std::string& path) {
  std::string answer = begin_answer(context) + R"(,"backup":)";
  append_json_string(answer, path);
  return answer + '}';
}

std::string dismissal_answer(const AnswerContext& context, std::uint64_t closed) {
  return begin_answer(context) + R"(,"closed":)" + std::to_string(closed) + '}';
}

std::string client_object(const ClientInfo& info) {
  std::string object = R"({"id":)" + std::to_string(info.id.value) + R"(,"address":)";
  append_json_string(object, info.address);
  object += R"(,"since":)";
  append_timestamp(object, info.since);
  object += R"(,"lag":)" + std::to_string(info.lag) + R"(,"bytes":)" + std::to_string(info.bytes);
  object += R"(,"last_pong":)" + seconds(info.last_sign_of_life);
  object += R"(,"channels":)" + std::to_string(info.subscriptions);
  if (!info.identity.empty()) append_member(object, "identity", json_string(info.identity));
  return object + '}';
}

std::string clients_answer(const AnswerContext& context, const std::vector<ClientInfo>& clients) {
  std::string answer = begin_without_clients(context) + R"(,"clients":[)";
  for (const ClientInfo& info : clients) {
    if (answer.back() != '[') answer += ',';
    answer += client_object(info);
  }
  return answer + "]}";
}

std::string channels_answer(const AnswerContext& context, const ChannelList& list) {
  std::string answer = begin_answer(context) + R"(,"channels":[)";
  for (const ListedChannel& channel : list.channels) {
    if (answer.back() != '[') answer += ',';
    answer += R"({"name":)";
    append_json_string(answer, channel.name);
    answer += ',';
    append_position(answer, channel.position, context.log_epoch);
    append_member(answer, "subscribers", channel.subscribers);
    append_member(answer, "keys", std::uint64_t{channel.keys});
    append_member(answer, "bytes", channel.bytes);
    answer += '}';
  }
  answer += list.more ? R"(],"more":true})" : R"(],"more":false})";
  return answer;
}

std::string receive_answer(const AnswerContext& context, const Notices::Taken& notices,
                           const std::vector<Inbox::Delivery>& deliveries) {
  return begin_answer(context) + ',' + received_members(notices, deliveries) + '}';
}

std::string settled_answer(const AnswerContext& context, const Settled& settled) {
  std::string answer = begin_answer(context);
  answer.append(R"(,")").append(word_of(settled.op)).append(R"(":)");
  return answer + std::to_string(settled.result.count) + '}';
}

std::string stats_answer(const AnswerContext& context, const RelayStats& relay,
                         const std::vector<const ShardStats*>& shards, const ClusterView& cluster,
                         std::string_view limits) {
  std::string answer = begin_answer(context) + R"(,"stats":{)";
  append_member(answer, "commands", total(relay.commands));
  append_member(answer, "commands_rejected", total(relay.rejected));
  append_member(answer, "duplicates", relay.duplicates.get());
  append_member(answer, "ids", relay.ids.get());
  append_member(answer, "events", relay.events.get());
  append_member(answer, "state_keys", relay.state_keys.get());
  append_member(answer, "state_bytes", relay.state_bytes.get());
  append_member(answer, "inbox_messages", relay.inbox_messages.get());
  append_member(answer, "inbox_bytes", relay.inbox_bytes.get());
  append_member(answer, "inbox_leased", relay.inbox_leased.get());
  append_member(answer, "inbox_received", relay.inbox_received.get());
  append_member(answer, "inbox_done", relay.inbox_done.get());
  append_member(answer, "inbox_redelivered", relay.inbox_redelivered.get());
  append_member(answer, "members", relay.members.get());
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
  append_member(answer, "clients",
                sum(shards, [](const ShardStats& shard) { return shard.clients.get(); }));
  append_member(answer, "channels", relay.channels.get());
  append_member(answer, "command_connections", relay.command_connections.get());
  if (cluster.stats != nullptr) append_cluster(answer, *cluster.stats, cluster.now);
  answer += '}';
  if (!limits.empty()) answer.append(",").append(limits);
  return answer + '}';
}

std::string history_answer(const AnswerContext& context, const Traffic& traffic) {
  return begin_answer(context) + R"(,"step":)" + std::to_string(Traffic::kStepSeconds) +
         R"(,"samples":)" + traffic.json() + '}';
}

std::string refused_answer(const AnswerContext& context, const Refusals& refusals, std::size_t max,
                           const std::vector<std::string>& endpoints) {
  std::string answer = begin_answer(context) + R"(,"refused":[)";
  for (std::size_t index = 0; index < std::min(max, refusals.size()); ++index) {
    if (index > 0) answer += ',';
    const RefusedCommand& each = refusals.newest(index);
    const bool named = each.endpoint > 0 && each.endpoint <= endpoints.size();
    answer += R"({"ts":)";
    append_timestamp(answer, each.ts);
    append_member(answer, "reason", json_string(name(each.reason)));
    append_member(answer, "detail", json_string(each.detail));
    append_member(answer, "source",
                  json_string(kCommandSourceNames[static_cast<std::size_t>(each.source)]));
    if (named) append_member(answer, "endpoint", json_string(endpoints[each.endpoint - 1]));
    if (!each.op.empty()) append_member(answer, "op", json_string(each.op));
    append_member(answer, "channel", json_string(each.channel));
    append_member(answer, "offset", std::uint64_t{each.offset});
    if (each.index) append_member(answer, "index", std::uint64_t{*each.index});
    append_member(answer, "bytes", std::uint64_t{each.bytes});
    answer += '}';
  }
  return answer + "]}";
}

std::string events_answer(const AnswerContext& context, const Browsed& browsed) {
  std::string answer = begin_answer(context) + R"(,"events":[)";
  for (const std::string& event : browsed.events) {
    if (answer.back() != '[') answer += ',';
    answer += event;
  }
  answer += browsed.more ? R"(],"more":true)" : R"(],"more":false)";
  if (browsed.skipped > 0) answer += R"(,"skipped":)" + std::to_string(browsed.skipped);
  return answer + '}';
}

}  // namespace syncrelay
