// What a shard is asked about single clients, and told to do with them.

#include <algorithm>
#include <utility>

#include "syncrelay/shard/shard.h"

namespace syncrelay {
namespace {

bool is_of(const Session& session, std::string_view id, std::uint64_t connection) {
  if (id.empty()) return session.id().value == connection;
  const Identity* const identity = session.identity();
  return identity != nullptr && identity->id == id;
}

}  // namespace

void Shard::answer(const Inquiry& inquiry) const {
  Reported reported{inquiry.number, {}};
  if (inquiry.all) {
    reported.clients.reserve(sessions_.size());
    for (const auto& session : sessions_) reported.clients.push_back(session->info());
  } else if (const ReplicaChannel* const channel = replica_.find(text(inquiry.channel))) {
    reported.clients.reserve(channel->followers.size());
    for (std::size_t index = 0; index < channel->followers.size(); ++index)
      reported.clients.push_back(
          static_cast<const Follower&>(channel->followers[index]).session().info());
  }
  outbox_.put(std::move(reported));
}

void Shard::dismiss(const Dismissal& dismissal) {
  Dismissed dismissed{dismissal.number, 0};
  for (const auto& session : sessions_) {
    if (is_of(*session, dismissal.id, dismissal.connection) &&
        session->dismiss({dismissal.code, dismissal.reason}))
      ++dismissed.count;
  }
  outbox_.put(dismissed);
}

void Shard::begin_story(Session& session, const ClientRequest& request) const {
  std::string from(session.transport().address());
  if (!request.proxy.empty()) from += ' ' + request.proxy;
  const unsigned arrivals = (request.tls ? kOverTls : 0U) | (request.deflates ? kDeflated : 0U);
  session.record(StoryKind::connected, arrivals, settings_.number, from);
}

// Those who are here first: of them, too, the newest.
void Shard::tell_story(const StoryInquiry& inquiry) {
  std::vector<const Session*> meant;
  for (const auto& session : sessions_) {
    if (is_of(*session, inquiry.id, inquiry.connection)) meant.push_back(session.get());
  }
  std::sort(meant.begin(), meant.end(),
            [](const Session* a, const Session* b) { return a->id() > b->id(); });
  const std::size_t told_of = std::min(meant.size(), StoryInquiry::kMaxTold);
  Told told{inquiry.number, {}, meant.size() - told_of};
  for (std::size_t at = 0; at < told_of; ++at)
    told.stories.push_back({meant[at]->id(), meant[at]->story(), meant[at]->info()});
  chronicle_.find(inquiry, told);
  outbox_.put(std::move(told));
}

}  // namespace syncrelay
