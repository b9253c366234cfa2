#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "metrics_text.h"
#include "syncrelay/ws/pages.h"

namespace syncrelay {
namespace {

template <typename Get>
std::uint64_t sum(const Status& status, Get get) {
  std::uint64_t total = 0;
  for (const ShardStats* shard : status.shards) total += get(*shard);
  return total;
}

template <typename Get>
std::uint64_t max(const Status& status, Get get) {
  std::uint64_t most = 0;
  for (const ShardStats* shard : status.shards) most = std::max(most, get(*shard));
  return most;
}

// The same of all shards together.
template <typename Counters>
auto sums_of(const Status& status, Counters ShardStats::*counters) {
  return [&status, counters](std::size_t index) {
    return sum(status, [=](const ShardStats& shard) { return (shard.*counters)[index].get(); });
  };
}

void add_commands(Page& page, const RelayStats& relay) {
  page.header("commands_total", "counter", "Commands accepted, by operation.");
  for (std::size_t op = 0; has_effect(static_cast<Op>(op)); ++op)
    page.sample("commands_total", label("op", kOpNames[op]), relay.commands[op].get());
  page.header("commands_rejected_total", "counter", "Commands refused whole, by reason.");
  add_each(page, "commands_rejected_total", "reason", kRejectReasonNames,
           values_of(relay.rejected));
  page.single("ids", "gauge", "Ids of commands remembered.", relay.ids.get());
  page.single("duplicates_total", "counter", "Commands with an id that was known.",
              relay.duplicates.get());
  page.single("answers_dropped_total", "counter",
              "Answers on the control socket that a peer did not read or was not there for.",
              relay.answers_dropped.get());
  page.single("command_connections", "gauge",
              "Connections to the command sockets and the control socket.",
              relay.command_connections.get());
  page.single("command_connections_refused_total", "counter",
              "Connections to them that there was no room for.",
              relay.command_connections_refused.get());
  page.single("command_connections_cut_off_total", "counter",
              "Connections to them ended because of a message without end or an old protocol.",
              relay.command_connections_cut_off.get());
  page.single("command_keys_refused_total", "counter",
              "Connections to them refused because --curve-clients does not list their key.",
              relay.command_keys_refused.get());
  page.single("command_handshakes_failed_total", "counter",
              "Connections to them that were asked for a key and ended before they showed one.",
              relay.command_handshakes_failed.get());
  page.single("events_total", "counter", "Events put into the log.", relay.events.get());
  page.single("seq", "gauge", "Position of the default channel's newest event.", relay.seq.get());
  page.single("channels", "gauge", "Channels that the relay has.", relay.channels.get());
  page.single("channels_forgotten_total", "counter",
              "Channels forgotten: no state, no event in the window, no subscriber.",
              relay.channels_forgotten.get());
  page.single("channels_dropped_total", "counter",
              "Channels that backends dropped, or that made room for others.",
              relay.channels_dropped.get());
  page.single("state_keys", "gauge", "State keys held.", relay.state_keys.get());
  page.single("expired_keys_total", "counter", "State keys that went by their ttl.",
              relay.expired_keys.get());
  page.single("state_bytes", "gauge", "Bytes of all state keys and values.",
              relay.state_bytes.get());
  page.single("members", "gauge", "Members of all channels.", relay.members.get());
  page.single("members_refused_total", "counter",
              "Identities that did not become members when they came: no room.",
              relay.members_refused.get());
  page.header("wills_total", "counter", "Wills of members who have left, by what became of them.");
  add_each(page, "wills_total", "outcome", kWillOutcomeNames, values_of(relay.wills));
}

void add_inbox(Page& page, const RelayStats& relay) {
  page.single("inbox_messages", "gauge",
              "Messages that clients have said and no backend is done with.",
              relay.inbox_messages.get());
  page.single("inbox_bytes", "gauge", "Bytes of these messages.", relay.inbox_bytes.get());
  page.single("inbox_leased", "gauge", "Those of them that a worker has.",
              relay.inbox_leased.get());
  page.single("inbox_received_total", "counter", "Messages taken for the backend.",
              relay.inbox_received.get());
  page.single("inbox_done_total", "counter", "Messages that a worker was done with.",
              relay.inbox_done.get());
  page.single("inbox_redelivered_total", "counter", "Messages handed out once more.",
              relay.inbox_redelivered.get());
  page.header("inbox_refused_total", "counter",
              "Messages for the backend that were not taken, by reason.");
  add_each(page, "inbox_refused_total", "reason", kInboxRefusalNames,
           values_of(relay.inbox_refused));
  page.single("inbox_ignored_total", "counter",
              "Messages that wanted no answer while no backend had ever received.",
              relay.inbox_ignored.get());
  page.single("notices_dropped_total", "counter",
              "Notices of who came and went that there was no room for.",
              relay.notices_dropped.get());
}

void add_tokens(Page& page, const Status& status) {
  page.header("tokens_refused_total", "counter", "Tokens that were not taken, by fault.");
  add_each(page, "tokens_refused_total", "fault", kTokenFaultNames,
           sums_of(status, &ShardStats::tokens_refused));
}

void add_tls(Page& page, const Status& status) {
  constexpr std::array<std::string_view, 2> kResumed = {"no", "yes"};
  const TlsStats none;
  const TlsStats& admin = status.door == nullptr ? none : status.door->tls;
  const std::string of_clients = label("listener", "clients") + ',';
  const std::string of_admin = label("listener", "admin") + ',';
  page.header("tls_handshakes_total", "counter",
              "TLS handshakes done, by listener and whether an earlier session was resumed.");
  const auto handshakes = [&status](std::size_t index) {
    return sum(status,
               [index](const ShardStats& shard) { return shard.tls.handshakes[index].get(); });
  };
  add_each(page, "tls_handshakes_total", "resumed", kResumed, handshakes, of_clients);
  add_each(page, "tls_handshakes_total", "resumed", kResumed, values_of(admin.handshakes),
           of_admin);
  page.header("tls_handshakes_failed_total", "counter",
              "Connections that did not come to speak TLS, by listener and reason.");
  const auto failures = [&status](std::size_t index) {
    return sum(status,
               [index](const ShardStats& shard) { return shard.tls.failures[index].get(); });
  };
  add_each(page, "tls_handshakes_failed_total", "reason", kTlsFailureNames, failures, of_clients);
  add_each(page, "tls_handshakes_failed_total", "reason", kTlsFailureNames,
           values_of(admin.failures), of_admin);
}

// Of the many pairs only those that have happened.
void add_door(Page& page, const DoorStats& door) {
  page.single("admin_connections", "gauge", "Connections to the admin listener.",
              door.connections.get());
  page.single("admin_crowded_total", "counter", "Connections to it closed because others came.",
              door.crowded.get());
  page.header("admin_requests_total", "counter", "Requests to it, by path and status.");
  for (std::size_t path = 0; path < kDoorPathNames.size(); ++path) {
    for (std::size_t status = 0; status < kDoorStatuses.size(); ++status) {
      const std::uint64_t count = door.requests[path][status].get();
      if (count == 0) continue;
      page.sample("admin_requests_total",
                  label("path", kDoorPathNames[path]) + ',' +
                      label("status", std::to_string(kDoorStatuses[status])),
                  count);
    }
  }
}

void add_closed(Page& page, const Status& status) {
  page.header("clients_closed_total", "counter",
              "Clients gone, by WebSocket close code and reason.");
  for (std::size_t cause = 0; cause < kCloseCauses.size(); ++cause) {
    for (std::size_t code = 0; code <= kCountedCodes.size(); ++code) {
      std::uint64_t total = 0;
      for (const ShardStats* shard : status.shards) total += shard->closed[cause][code].get();
      if (total == 0) continue;
      const std::string code_text =
          code < kCountedCodes.size() ? std::to_string(kCountedCodes[code]) : "other";
      page.sample("clients_closed_total",
                  label("code", code_text) + ',' + label("reason", kCloseCauses[cause].name),
                  total);
    }
  }
}

void add_clients(Page& page, const Status& status) {
  page.single("clients", "gauge", "Clients connected now.", status.clients());
  page.single("clients_accepted_total", "counter", "WebSocket connections accepted.",
              sum(status, [](const ShardStats& shard) { return shard.accepted.get(); }));
  page.header("clients_refused_total", "counter",
              "Connections and requests refused before the upgrade, by reason.");
  for (std::size_t reason = 0; reason < kRefusalReasonNames.size(); ++reason) {
    std::uint64_t total =
        sum(status, [reason](const ShardStats& shard) { return shard.refused[reason].get(); });
    if (reason == static_cast<std::size_t>(RefusalReason::open_files))
      total += status.refused_sockets.get();
    page.sample("clients_refused_total", label("reason", kRefusalReasonNames[reason]), total);
  }
  page.single(
      "proxy_headers_unusable_total", "counter",
      "Requests of trusted proxies that do not say by one address for whom.",
      sum(status, [](const ShardStats& shard) { return shard.proxy_headers_unusable.get(); }));
  add_tokens(page, status);
  add_tls(page, status);
  add_closed(page, status);
}

void add_channels(Page& page, const Status& status) {
  page.single("subscriptions", "gauge", "Channels that clients follow, counted for each client.",
              sum(status, [](const ShardStats& shard) { return shard.subscriptions.get(); }));
  page.header("subscriptions_refused_total", "counter", "Subscriptions refused, by reason.");
  add_each(page, "subscriptions_refused_total", "reason", kRefusedSubscriptions,
           sums_of(status, &ShardStats::subscriptions_refused));
  page.header("client_messages_total", "counter", "Messages from clients, by what they say.");
  add_each(page, "client_messages_total", "type", kClientMessageKindNames,
           sums_of(status, &ShardStats::client_messages));
  page.header("client_messages_refused_total", "counter",
              "Messages from clients that were not taken, by reason.");
  add_each(page, "client_messages_refused_total", "reason", kRefusedMessages,
           sums_of(status, &ShardStats::client_messages_refused));
  page.single("identities", "gauge",
              "Identities that have a connection, counted for each shard where they have one.",
              sum(status, [](const ShardStats& shard) { return shard.identities.get(); }));
  page.single("shard_channels", "gauge", "Channels that the shard with most of them has.",
              max(status, [](const ShardStats& shard) { return shard.channels.get(); }));
}

void add_deflating(Page& page, const Status& status) {
  page.single("deflated_events_total", "counter",
              "Events deflated, once for all clients that have negotiated that.",
              sum(status, [](const ShardStats& shard) { return shard.deflated_events.get(); }));
  page.single(
      "deflated_plain_bytes_total", "counter", "Bytes of these events before that.",
      sum(status, [](const ShardStats& shard) { return shard.deflated_plain_bytes.get(); }));
  page.single("deflated_wire_bytes_total", "counter", "Bytes of these events after that.",
              sum(status, [](const ShardStats& shard) { return shard.deflated_wire_bytes.get(); }));
  page.single(
      "undeflated_events_total", "counter",
      "Events not deflated for want of room or time, counted each time that they were looked up.",
      sum(status, [](const ShardStats& shard) { return shard.undeflated_events.get(); }));
}

void add_sending(Page& page, const Status& status) {
  page.single("frames_sent_total", "counter",
              "Messages and control frames written to clients; a fragmented message counts once.",
              sum(status, [](const ShardStats& shard) { return shard.frames_sent.get(); }));
  page.single("bytes_sent_total", "counter", "Bytes written to clients after the upgrade.",
              sum(status, [](const ShardStats& shard) { return shard.bytes_sent.get(); }));
  page.single("skipped_events_total", "counter",
              "Events that slow clients did not get, each told by `skipped`.",
              sum(status, [](const ShardStats& shard) { return shard.skipped_events.get(); }));
  page.header("snapshots_sent_total", "counter", "Snapshots begun, by reason.");
  add_each(page, "snapshots_sent_total", "reason", kSnapshotReasonNames,
           sums_of(status, &ShardStats::snapshots));
  page.single("resumes_total", "counter", "Clients that went on from their position.",
              sum(status, [](const ShardStats& shard) { return shard.resumes.get(); }));
  add_deflating(page, status);
  add_channels(page, status);
  page.single("slow_clients", "gauge",
              "Clients that have more to read than their connection takes.",
              sum(status, [](const ShardStats& shard) { return shard.slow_clients.get(); }));
  page.single("stories", "gauge", "Connections that are gone and can be explained still.",
              sum(status, [](const ShardStats& shard) { return shard.stories.get(); }));
  page.single("story_bytes", "gauge", "Bytes of what is kept of them.",
              sum(status, [](const ShardStats& shard) { return shard.story_bytes.get(); }));
  page.single("stories_forgotten_total", "counter",
              "Connections that are gone and cannot be explained any more, to make room.",
              sum(status, [](const ShardStats& shard) { return shard.stories_forgotten.get(); }));
  page.single("lag_events_max", "gauge", "Events that the slowest client is behind.",
              max(status, [](const ShardStats& shard) { return shard.lag_events_max.get(); }));
  page.single("log_bytes", "gauge", "Bytes in the log window.",
              max(status, [](const ShardStats& shard) { return shard.log_bytes.get(); }));
  page.single("log_events", "gauge", "Events in the log window.",
              max(status, [](const ShardStats& shard) { return shard.log_events.get(); }));
}

void add_fanout(Page& page, const Status& status) {
  std::vector<const LatencyHistogram*> parts;
  for (const ShardStats* shard : status.shards) parts.push_back(&shard->fanout);
  add_histogram(page, "fanout_seconds",
                "From the acceptance of an event to the last write of the pass, once per shard.",
                parts);
}

}  // namespace

HttpResponse metrics_page(const Status& status) {
  Page page;
  page.header("build_info", "gauge", "Always 1; the version is in the label.");
  page.sample("build_info", label("version", status.version), 1);
  add_commands(page, status.relay);
  add_inbox(page, status.relay);
  add_clients(page, status);
  add_sending(page, status);
  add_fanout(page, status);
  if (status.cluster != nullptr) add_cluster(page, *status.cluster, status.clock.now());
  if (status.door != nullptr) add_door(page, *status.door);
  page.single("log_lines_dropped_total", "counter",
              "Lines of the relay's own log that standard error did not take.",
              status.log.dropped());
  return {200, "text/plain; version=0.0.4; charset=utf-8", page.take(), {}, {}};
}

}  // namespace syncrelay
