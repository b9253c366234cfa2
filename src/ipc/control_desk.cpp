#include "control_desk.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "syncrelay/relay/channel_list.h"

namespace syncrelay {
namespace {

constexpr std::size_t kMaxLists = 16;      // under way at a time
constexpr std::size_t kVersionBytes = 24;  // of a key in an answer, besides the key

const Rejection kUnread{RejectReason::busy, 0, "earlier answers are not read yet"};

}  // namespace

ControlDesk::ControlDesk(zmq::context_t& context, std::int64_t max_message, const Sources& sources)
    : socket_(context, max_message, sources.gate), sources_(sources) {}

bool ControlDesk::take() {
  Envelope envelope;
  zmq::message_t body;
  const bool received = socket_.receive(envelope, body);
  for (std::uint64_t dropped = socket_.take_dropped(); dropped > 0; --dropped)
    sources_.intake.count(RejectReason::multipart);
  if (!received) return false;
  const Ticket ticket = next_ticket_++;
  waiting_.emplace(ticket, std::move(envelope));
  sources_.intake.take({static_cast<const char*>(body.data()), body.size()}, ticket);
  return true;
}

void ControlDesk::answer(std::vector<Reply> replies) {
  for (const Reply& reply : replies) {
    auto waiting = waiting_.extract(reply.ticket);
    Envelope& envelope = waiting.mapped();
    if (const auto* query = std::get_if<Query>(&reply.content)) {
      answer(std::move(envelope), *query);
    } else if (const auto* rejection = std::get_if<Rejection>(&reply.content)) {
      send(std::move(envelope), rejected_answer(*rejection));
    } else {
      const auto& accepted = std::get<Accepted>(reply.content);
      const Outcome& outcome = accepted.outcome;
      send(std::move(envelope),
           accepted_answer({outcome.position, sources_.epoch,
                            sources_.relay.subscribers().of(text(outcome.channel))},
                           accepted));
    }
  }
}

void ControlDesk::answer(Envelope envelope, const Query& query) {
  const AnswerContext now = context(query.channel_name());
  switch (query.op) {
    case Op::clients:
      return begin_list(std::move(envelope), query);
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
    default:
      return send(std::move(envelope), stats_answer(now, sources_.relay_stats, sources_.shards));
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
  if (!socket_.has_room(envelope, query.key.empty() ? all : one))
    return refuse(std::move(envelope), kUnread);
  send(std::move(envelope), state_answer(context(query.channel_name()), state, query.key));
}

void ControlDesk::answer_members(Envelope envelope, const Query& query) {
  static const State kNobody;
  const Channel* const channel = sources_.relay.channels().find(query.channel_name());
  const State& members = channel == nullptr ? kNobody : channel->members.get();
  if (!socket_.has_room(envelope, members.members_size()))
    return refuse(std::move(envelope), kUnread);
  send(std::move(envelope), members_answer(context(query.channel_name()), members));
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

void ControlDesk::read_outboxes() {
  for (std::size_t shard = 0; shard < sources_.outboxes.size(); ++shard) {
    sources_.outboxes[shard]->take(taken_);
    for (UpLetter& letter : taken_) {
      if (auto* reported = std::get_if<Reported>(&letter)) {
        add_to_list(std::move(*reported));
      } else if (const auto* subscribers = std::get_if<Subscribers>(&letter)) {
        sources_.relay.hear(shard, *subscribers);
      } else if (const auto* attendance = std::get_if<Attendance>(&letter)) {
        sources_.relay.attend(shard, *attendance);
      }
    }
  }
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
  const std::string answer =
      *ended ? backup_answer(context({}), ended->value()) : rejected_answer(ended->error());
  for (Envelope& envelope : backup_) send(std::move(envelope), answer);
  backup_.clear();
}

void ControlDesk::send_large(Envelope envelope, std::string answer) {
  if (!socket_.has_room(envelope, answer.size())) return refuse(std::move(envelope), kUnread);
  send(std::move(envelope), std::move(answer));
}

void ControlDesk::refuse(Envelope envelope, const Rejection& rejection) {
  sources_.intake.count(rejection.reason);
  send(std::move(envelope), rejected_answer(rejection));
}

void ControlDesk::send(Envelope envelope, std::string answer) {
  if (!socket_.answer(std::move(envelope), std::move(answer)))
    sources_.relay_stats.answers_dropped.add();
}

AnswerContext ControlDesk::context(std::string_view channel) const {
  return {sources_.relay.channels().position_of(channel), sources_.epoch,
          sources_.relay.subscribers().of(channel)};
}

}  // namespace syncrelay
