#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/client_info.h"
#include "syncrelay/post/update.h"
#include "syncrelay/protocol/rejection.h"
#include "syncrelay/relay/relay.h"

// The answers on the control socket, as JSON text.
namespace syncrelay {

// What every positive answer says.
struct AnswerContext {
  Seq seq;
  std::string_view epoch;
  std::uint64_t clients;
};

std::string accepted_answer(const AnswerContext& context, bool duplicate);
std::string rejected_answer(const Rejection& rejection);

// All keys, or one (empty when the state has no such key).
std::string state_answer(const AnswerContext& context, const State& state, const std::string& key);
std::string backup_answer(const AnswerContext& context, const std::string& path);
std::string clients_answer(const AnswerContext& context, const std::vector<ClientInfo>& clients);
std::string stats_answer(const AnswerContext& context, const RelayStats& relay,
                         const std::vector<const ShardStats*>& shards);

}  // namespace syncrelay
