#include "control_desk.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace syncrelay {
namespace {

constexpr std::size_t kMaxLists = 16;  // under way at a time

}  // namespace

ControlDesk::ControlDesk(zmq::context_t& context, std::int64_t max_message, const Sources& sources)
    : socket_(context, max_message, sources.gate), sources_(sources) {}

bool ControlDesk::take(CommandDecoder& decoder) {
  Envelope envelope;
  zmq::message_t body;
  const bool received = socket_.receive(envelope, body);
  for (std::uint64_t dropped = socket_.take_dropped(); dropped > 0; --dropped)
    sources_.relay.count(RejectReason::multipart);
  if (!received) return false;
  auto outcome = outcome_of(decoder, {static_cast<const char*>(body.data()), body.size()});
  if (const auto* rejection = std::get_if<Rejection>(&outcome))
    sources_.relay.count(rejection->reason);
  pending_.push_back({std::move(envelope), std::move(outcome)});
  return true;
}

std::variant<Accepted, Rejection, ControlDesk::Query> ControlDesk::outcome_of(
    CommandDecoder& decoder, std::string_view body) {
  const Result<const Command*, Rejection> command = decoder.decode(body);
  if (!command) return command.error();
  if (is_query(command.value()->op)) return Query{command.value()->op, command.value()->key};
  const Result<Accepted, Rejection> applied = sources_.relay.apply(*command.value());
  if (!applied) return applied.error();
  return applied.value();
}

void ControlDesk::answer(const Result<void, Rejection>& stored) {
  for (Pending& pending : pending_) {
    if (const auto* query = std::get_if<Query>(&pending.outcome)) {
      answer(std::move(pending.envelope), *query);
    } else if (const auto* rejection = std::get_if<Rejection>(&pending.outcome)) {
      send(std::move(pending.envelope), rejected_answer(*rejection));
    } else if (const auto& accepted = std::get<Accepted>(pending.outcome);
               stored || accepted.stored) {
      send(std::move(pending.envelope), accepted_answer(context(accepted.seq), accepted.duplicate));
    } else {
      sources_.relay.count(stored.error().reason);
      send(std::move(pending.envelope), rejected_answer(stored.error()));
    }
  }
  pending_.clear();
}

void ControlDesk::answer(Envelope envelope, const Query& query) {
  const AnswerContext now = context(sources_.relay.last());
  switch (query.op) {
    case Op::clients:
      return begin_list(std::move(envelope));
    case Op::backup:
      return join_backup(std::move(envelope));
    case Op::state:
      return answer_state(std::move(envelope), query.key);
    default:
      return send(std::move(envelope), stats_answer(now, sources_.relay_stats, sources_.shards));
  }
}

// Refused before it is written: the text of a large state costs time that others wait.
void ControlDesk::answer_state(Envelope envelope, const std::string& key) {
  const State& state = sources_.relay.state();
  const StateValue* const found = state.find(key);
  const std::size_t one = found == nullptr ? 0 : (*found)->size();
  const std::size_t bytes = key.empty() ? state.bytes() : one;
  if (!socket_.has_room(envelope, bytes))
    return refuse(std::move(envelope), "earlier answers are not read yet");
  send(std::move(envelope), state_answer(context(sources_.relay.last()), state, key));
}

void ControlDesk::refuse(Envelope envelope, const char* why) {
  sources_.relay.count(RejectReason::busy);
  send(std::move(envelope), rejected_answer({RejectReason::busy, 0, why}));
}

void ControlDesk::begin_list(Envelope envelope) {
  if (lists_.size() >= kMaxLists) {
    return refuse(std::move(envelope), "too many queries for clients are under way");
  }
  const std::uint64_t number = next_list_++;
  lists_.emplace(number,
                 List{std::move(envelope), sources_.relay.ask({number, true, nullptr}), {}});
}

void ControlDesk::read_outboxes() {
  for (Outbox* outbox : sources_.outboxes) {
    outbox->take(taken_);
    for (UpLetter& letter : taken_) {
      if (auto* reported = std::get_if<Reported>(&letter)) add_to_list(std::move(*reported));
    }
  }
}

void ControlDesk::add_to_list(Reported reported) {
  const auto found = lists_.find(reported.inquiry);
  List& list = found->second;
  std::move(reported.clients.begin(), reported.clients.end(), std::back_inserter(list.clients));
  if (--list.missing > 0) return;
  std::string answer = clients_answer(context(sources_.relay.last()), list.clients);
  if (socket_.has_room(list.envelope, answer.size())) {
    send(std::move(list.envelope), std::move(answer));
  } else {
    refuse(std::move(list.envelope), "earlier answers are not read yet");
  }
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
  sources_.relay.count(joined.error().reason);
  send(std::move(envelope), rejected_answer(joined.error()));
}

void ControlDesk::go_on_with_backup() {
  if (backup_.empty()) return;
  const auto ended = sources_.relay.step_backup();
  if (!ended) return;
  const std::string answer = *ended ? backup_answer(context(sources_.relay.last()), ended->value())
                                    : rejected_answer(ended->error());
  for (Envelope& envelope : backup_) send(std::move(envelope), answer);
  backup_.clear();
}

void ControlDesk::send(Envelope envelope, std::string answer) {
  if (!socket_.answer(std::move(envelope), std::move(answer)))
    sources_.relay_stats.answers_dropped.add();
}

AnswerContext ControlDesk::context(Seq seq) const {
  std::uint64_t clients = 0;
  for (const ShardStats* shard : sources_.shards) clients += shard->clients.get();
  return {seq, sources_.epoch, clients};
}

}  // namespace syncrelay
