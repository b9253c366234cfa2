#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/channel/channels.h"
#include "syncrelay/ipc/traffic.h"
#include "syncrelay/metrics/cluster_stats.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/browse.h"
#include "syncrelay/post/client_info.h"
#include "syncrelay/protocol/rejection.h"
#include "syncrelay/relay/channel_list.h"
#include "syncrelay/relay/inbox.h"
#include "syncrelay/relay/intake.h"
#include "syncrelay/relay/notices.h"
#include "syncrelay/relay/refusals.h"
#include "syncrelay/relay/relay.h"

// The answers on the control socket, as JSON text.
namespace syncrelay {

// What every positive answer says of its channel.
struct AnswerContext {
  ChannelPosition position;
  std::string_view log_epoch;
  std::uint64_t clients;
};

// The beginning of every positive answer, up to `clients`, without its end.
std::string begin_answer(const AnswerContext& context);
std::string accepted_answer(const AnswerContext& context, const Accepted& accepted);
std::string rejected_answer(const Rejection& rejection);

// All keys, or one (empty when the state has no such key).
std::string state_answer(const AnswerContext& context, const State& state, const std::string& key);
// `members`: by id, see channel/member.h. `kept`: whether the channel keeps them at all.
std::string members_answer(const AnswerContext& context, const State& members, bool kept);
std::string backup_answer(const AnswerContext& context, const std::string& path);
// `closed`: connections.
std::string dismissal_answer(const AnswerContext& context, std::uint64_t closed);
// One client as the answer to `clients` lists it, a JSON object.
std::string client_object(const ClientInfo& info);
std::string clients_answer(const AnswerContext& context, const std::vector<ClientInfo>& clients);
std::string channels_answer(const AnswerContext& context, const ChannelList& list);
std::string receive_answer(const AnswerContext& context, const Notices::Taken& notices,
                           const std::vector<Inbox::Delivery>& deliveries);
std::string settled_answer(const AnswerContext& context, const Settled& settled);

// A relay's share of its cluster at a time; null: it is alone.
struct ClusterView {
  const ClusterStats* stats;
  TimePoint now;
};
// `limits`: members for the end, JSON.
std::string stats_answer(const AnswerContext& context, const RelayStats& relay,
                         const std::vector<const ShardStats*>& shards, const ClusterView& cluster,
                         std::string_view limits);
std::string history_answer(const AnswerContext& context, const Traffic& traffic);
// The newest `max` of them. `endpoints`: that commands are pushed to.
std::string refused_answer(const AnswerContext& context, const Refusals& refusals, std::size_t max,
                           const std::vector<std::string>& endpoints);
std::string events_answer(const AnswerContext& context, const Browsed& browsed);

}  // namespace syncrelay
