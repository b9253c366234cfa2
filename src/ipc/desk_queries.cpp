// The part of the control desk that answers queries.

#include <iterator>
#include <utility>

#include "control_desk.h"
#include "explain_answer.h"
#include "syncrelay/relay/channel_list.h"

namespace syncrelay {
namespace {

constexpr std::size_t kMaxLists = 16;      // under way at a time
constexpr std::size_t kVersionBytes = 24;  // of a key in an answer, besides the key

const Rejection kBeginsAnew{RejectReason::cluster_unavailable, 0,
                            "the cluster's log goes on under another epoch: ask again"};
const Rejection kUnknownClient{
    RejectReason::unknown_client, 0,
    "nothing is known of this client: it never was here, or has been gone for long"};

}  // namespace

void ControlDesk::answer(Envelope envelope, const Query& query) {
  const AnswerContext now = context(query.channel_name());
  switch (query.op) {
    case Op::clients:
      return begin_list(std::move(envelope), query);
    case Op::disconnect:
      return begin_dismissal(std::move(envelope), query);
    case Op::explain:
      return begin_explanation(std::move(envelope), query);
    case Op::backup:
      return join_backup(std::move(envelope));
    case Op::state:
      return answer_state(std::move(envelope), query);
    case Op::members:
      return answer_members(std::move(envelope), query);
    case Op::channels:
      return send_large(std::move(envelope),
                        channels_answer(now, list_channels(query, sources_.relay.channels(),
                                                           sources_.relay.subscribers())));
    case Op::events:
      return begin_tail(std::move(envelope), query);
    case Op::history:
      return send_large(std::move(envelope), history_answer(now, traffic_));
    case Op::refused:
      return send_large(std::move(envelope), refused_answer(now, sources_.intake.refusals(),
                                                            query.worker.max, *sources_.endpoints));
    default:
      send(std::move(envelope),
           stats_answer(now, sources_.relay_stats, sources_.shards,
                        {sources_.cluster, sources_.clock.now()}, sources_.limits));
  }
}

// Refused before it is written: the text of a large state costs time that others wait.
void ControlDesk::answer_state(Envelope envelope, const Query& query) {
  static const State kNoState;
  const Channel* const channel = sources_.relay.channels().find(query.channel_name());
  const State& state = channel == nullptr ? kNoState : channel->state;
  const StateValue* const found = state.find(query.key);
  const std::size_t one = found == nullptr ? 0 : (*found)->size();
  const std::size_t all = state.bytes() + state.size() * kVersionBytes;
  if (!has_room(envelope, query.key.empty() ? all : one))
    return refuse(std::move(envelope), kUnread);
  send(std::move(envelope), state_answer(context(query.channel_name()), state, query.key));
}

void ControlDesk::answer_members(Envelope envelope, const Query& query) {
  static const State kNobody;
  const Channel* const channel = sources_.relay.channels().find(query.channel_name());
  const State& members = channel == nullptr ? kNobody : channel->members.get();
  if (!has_room(envelope, members.members_size())) return refuse(std::move(envelope), kUnread);
  send(std::move(envelope), members_answer(context(query.channel_name()), members,
                                           sources_.presence.match(query.channel_name())));
}

void ControlDesk::begin_list(Envelope envelope, const Query& query) {
  if (lists_.size() >= kMaxLists) {
    return refuse(std::move(envelope),
                  {RejectReason::busy, 0, "too many queries for clients are under way"});
  }
  Inquiry inquiry{next_list_++, !query.channel, nullptr};
  if (!query.channel_name().empty())
    inquiry.channel = std::make_shared<const std::string>(query.channel_name());
  lists_.emplace(inquiry.number,
                 List{std::move(envelope), query.channel, sources_.relay.ask(inquiry), {}});
}

void ControlDesk::refuse_queries() {
  for (auto& [number, list] : std::exchange(lists_, {}))
    refuse(std::move(list.envelope), kBeginsAnew);
  for (Envelope& envelope : dismissals_.end()) refuse(std::move(envelope), kBeginsAnew);
  for (Envelope& envelope : explanations_.end()) refuse(std::move(envelope), kBeginsAnew);
}

void ControlDesk::add_to_list(Reported reported) {
  const auto found = lists_.find(reported.inquiry);
  List& list = found->second;
  std::move(reported.clients.begin(), reported.clients.end(), std::back_inserter(list.clients));
  if (--list.missing > 0) return;
  const std::string_view channel = list.channel ? std::string_view(*list.channel) : "";
  send_large(std::move(list.envelope), clients_answer(context(channel), list.clients));
  lists_.erase(found);
}

void ControlDesk::begin_tail(Envelope envelope, const Query& query) {
  if (!tails_.add(envelope, query, sources_.clock.now()))
    refuse(std::move(envelope), {RejectReason::busy, 0, "too many queries for events"});
}

void ControlDesk::answer_tail(Tails::Answer answer) {
  send_large(std::move(answer.envelope), events_answer(context(answer.channel), answer.browsed));
}

void ControlDesk::begin_dismissal(Envelope envelope, const Query& query) {
  if (dismissals_.full()) {
    return refuse(std::move(envelope),
                  {RejectReason::busy, 0, "too many queries to disconnect are under way"});
  }
  sources_.relay.ask(dismissals_.begin(std::move(envelope), query, sources_.outboxes.size()));
}

void ControlDesk::end_dismissal(const Dismissed& dismissed) {
  if (auto done = dismissals_.take(dismissed))
    send(std::move(done->envelope), dismissal_answer(context({}), done->closed));
}

void ControlDesk::begin_explanation(Envelope envelope, const Query& query) {
  if (explanations_.full()) {
    return refuse(std::move(envelope),
                  {RejectReason::busy, 0, "too many queries to explain are under way"});
  }
  const auto inquiry = explanations_.begin(envelope, query.client, sources_.outboxes.size());
  if (inquiry == nullptr) return refuse(std::move(envelope), kUnknownClient);
  sources_.relay.ask(inquiry);
}

void ControlDesk::end_explanation(Told told) {
  auto done = explanations_.take(std::move(told));
  if (!done) return;
  if (done->stories.empty()) return refuse(std::move(done->envelope), kUnknownClient);
  Envelope envelope = std::move(done->envelope);
  send_large(std::move(envelope), explain_answer(context({}), *done));
}

// One that is under way holds at its end what is stored by then, so it is good for later requests.
void ControlDesk::join_backup(Envelope envelope) {
  Result<void, Rejection> joined;
  if (backup_.size() >= kMaxLists) {
    joined = Rejection{RejectReason::busy, 0, "too many wait for the backup"};
  } else if (backup_.empty()) {
    joined = sources_.relay.begin_backup();
  }
  if (joined) return backup_.push_back(std::move(envelope));
  refuse(std::move(envelope), joined.error());
}

void ControlDesk::go_on_with_backup() {
  if (backup_.empty()) return;
  const auto ended = sources_.relay.step_backup();
  if (!ended) return;
  for (Envelope& envelope : backup_) {
    if (*ended) {
      send(std::move(envelope), backup_answer(context({}), ended->value()));
    } else {
      send(std::move(envelope), ended->error());
    }
  }
  backup_.clear();
}

}  // namespace syncrelay
