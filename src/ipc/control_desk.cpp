#include "control_desk.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "explain_answer.h"
#include "syncrelay/relay/channel_list.h"

namespace syncrelay {
namespace {

constexpr std::size_t kMaxLists = 16;  // under way at a time
constexpr std::size_t kMaxReceivers = 1000;
constexpr std::size_t kMaxReceivedBytes = 4 * 1024 * 1024;  // of texts in one answer
constexpr std::size_t kVersionBytes = 24;  // of a key in an answer, besides the key

const Rejection kBeginsAnew{RejectReason::cluster_unavailable, 0,
                            "the cluster's log goes on under another epoch: ask again"};
const Rejection kUnknownClient{
    RejectReason::unknown_client, 0,
    "nothing is known of this client: it never was here, or has been gone for long"};
const Rejection kUnread{RejectReason::busy, 0, "earlier answers are not read yet"};

}  // namespace

ControlDesk::ControlDesk(ControlSocket& socket, const Sources& sources)
    : socket_(socket),
      sources_(sources),
      client_replies_(sources.relay, sources.intake, sources.outboxes.size()),
      receivers_(kMaxReceivers) {}

bool ControlDesk::take() {
  Envelope envelope;
  zmq::message_t body;
  const bool received = socket_.receive(envelope, body);
  for (std::uint64_t dropped = socket_.take_dropped(); dropped > 0; --dropped)
    sources_.intake.count(RejectReason::multipart);
  if (!received) return false;
  const Ticket ticket = next_ticket_++;
  const int descriptor = ControlSocket::descriptor_of(body);
  waiting_.emplace(ticket, Asking{std::move(envelope), descriptor});
  sources_.intake.take({static_cast<const char*>(body.data()), body.size()},
                       {ticket, static_cast<Peer>(descriptor)});
  return true;
}

void ControlDesk::answer(std::vector<Reply> replies) {
  for (const Reply& reply : replies) {
    if (client_replies_.take(reply)) continue;
    const auto* const query = std::get_if<Query>(&reply.content);
    if (query != nullptr && query->op == Op::receive) {
      add_receiver(reply.ticket, *query);
    } else {
      answer(take_envelope(reply.ticket), reply);
    }
  }
  client_replies_.send();
}

void ControlDesk::answer(Envelope envelope, const Reply& reply) {
  if (const auto* query = std::get_if<Query>(&reply.content)) {
    answer(std::move(envelope), *query);
  } else if (const auto* rejection = std::get_if<Rejection>(&reply.content)) {
    send(std::move(envelope), rejected_answer(*rejection));
  } else if (const auto* settled = std::get_if<Settled>(&reply.content)) {
    send(std::move(envelope), settled_answer(context({}), *settled));
  } else {
    const auto& accepted = std::get<Accepted>(reply.content);
    const Outcome& outcome = accepted.outcome;
    send(std::move(envelope),
         accepted_answer({outcome.position, sources_.epoch,
                          sources_.relay.subscribers().of(text(outcome.channel))},
                         accepted));
  }
}

Envelope ControlDesk::take_envelope(Ticket ticket) {
  receiving_.erase(ticket);
  return std::move(waiting_.extract(ticket).mapped().envelope);
}

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
    default:
      send(std::move(envelope), stats_answer(now, sources_.relay_stats, sources_.shards,
                                             {sources_.cluster, sources_.clock.now()}));
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

void ControlDesk::read_outboxes() {
  for (std::size_t shard = 0; shard < sources_.outboxes.size(); ++shard) {
    sources_.outboxes[shard]->take(taken_);
    for (UpLetter& letter : taken_) hear(shard, letter);
  }
  add_notices();
}

// Those of all shards in the order in which they happened, as far as they are here.
void ControlDesk::add_notices() {
  std::stable_sort(noticed_.begin(), noticed_.end(),
                   [](const Notice& a, const Notice& b) { return a.at < b.at; });
  for (Notice& notice : noticed_) sources_.relay.notices().add(std::move(notice));
  noticed_.clear();
}

void ControlDesk::hear(std::size_t shard, UpLetter& letter) {
  if (auto* reported = std::get_if<Reported>(&letter)) {
    add_to_list(std::move(*reported));
  } else if (const auto* subscribers = std::get_if<Subscribers>(&letter)) {
    sources_.relay.hear(shard, *subscribers);
  } else if (const auto* attendance = std::get_if<Attendance>(&letter)) {
    sources_.relay.attend(shard, *attendance);
  } else if (const auto* dismissed = std::get_if<Dismissed>(&letter)) {
    end_dismissal(*dismissed);
  } else if (auto* told = std::get_if<Told>(&letter)) {
    end_explanation(std::move(*told));
  } else if (auto* noticed = std::get_if<Noticed>(&letter)) {
    for (; !noticed->notices.empty(); noticed->notices.pop_front())
      noticed_.push_back(std::move(noticed->notices.front()));
    sources_.relay.notices().add_dropped(noticed->dropped);
  } else if (auto* said = std::get_if<Said>(&letter); said != nullptr && hears_clients_) {
    said_.push_back({shard, std::move(*said)});
  }
}

bool ControlDesk::take_said() {
  const std::size_t first = next_said_;
  while (has_said() && !sources_.intake.batch_full()) {
    const ClientSaid& next = said_[next_said_++];
    client_replies_.take(next.shard, next.said);
  }
  const bool any = next_said_ > first;
  if (!has_said()) {
    said_.clear();
    next_said_ = 0;
  }
  return any;
}

void ControlDesk::add_receiver(Ticket ticket, const Query& query) {
  if (receivers_.add(ticket, query.worker, sources_.clock.now())) {
    receiving_.emplace(ticket, ControlSocket::connection_of(waiting_.at(ticket).descriptor));
    return;
  }
  refuse(take_envelope(ticket), {RejectReason::busy, 0, "too many workers wait"});
}

void ControlDesk::serve_receivers() {
  Notices& notices = sources_.relay.notices();
  if (receivers_.empty() && notices.asked().empty()) return;
  const TimePoint now = sources_.clock.now();
  notices.ask(receivers_.asked(), now);
  notices.forget_unasked(now);
  want_asked_notices();
  while (const auto first = receivers_.take_first(available(now))) hand_out(*first, now);
  while (const auto expired = receivers_.take_expired(now)) send_nothing(*expired);
}

WorkerEvents ControlDesk::available(TimePoint now) {
  WorkerEvents available = sources_.relay.notices().waiting();
  if (sources_.relay.inbox().has_next(now)) available.add(WorkerEvent::message);
  return available;
}

void ControlDesk::want_asked_notices() {
  const WorkerEvents asked = sources_.relay.notices().asked();
  if (asked == wanted_) return;
  wanted_ = asked;
  for (Outbox* const outbox : sources_.outboxes) outbox->want(asked);
}

// Who is found to be gone has had nothing.
void ControlDesk::hand_out(const Receivers::Receiver& receiver, TimePoint now) {
  const bool gone = ControlSocket::is_gone(receiving_.at(receiver.ticket));
  Envelope envelope = take_envelope(receiver.ticket);
  if (gone) return sources_.relay_stats.answers_dropped.add();
  if (!socket_.has_room(envelope, kMaxReceivedBytes)) return refuse(std::move(envelope), kUnread);
  const WorkerWish& wish = receiver.wish;
  Inbox& inbox = sources_.relay.inbox();
  Notices::Taken notices = sources_.relay.notices().take(wish.events, wish.max, kMaxReceivedBytes);
  std::vector<Inbox::Delivery> deliveries;
  if (wish.events.has(WorkerEvent::message)) {
    deliveries = inbox.take(
        {wish.max - notices.notices.size(), kMaxReceivedBytes - notices.bytes, wish.lease}, now);
  }
  if (send(std::move(envelope), receive_answer(context({}), notices, deliveries))) return;
  std::vector<std::uint64_t> numbers;
  for (const Inbox::Delivery& delivery : deliveries) numbers.push_back(delivery.message->n);
  inbox.give_back(numbers);
  sources_.relay.notices().give_back(std::move(notices));
}

void ControlDesk::send_nothing(const Receivers::Receiver& receiver) {
  Notices& notices = sources_.relay.notices();
  Notices::Taken none = notices.take(receiver.wish.events, 0, 0);
  if (!send(take_envelope(receiver.ticket), receive_answer(context({}), none, {})))
    notices.give_back(std::move(none));
}

std::optional<TimePoint> ControlDesk::next_service() const {
  const auto end = receivers_.next_end();
  const auto lease_end = sources_.relay.inbox().next_end();
  return end && lease_end ? std::min(*end, *lease_end) : end;
}

void ControlDesk::forget_gone_receivers() {
  receivers_.remove_if([this](Ticket ticket) {
    if (!ControlSocket::is_gone(receiving_.at(ticket))) return false;
    take_envelope(ticket);
    return true;
  });
}

void ControlDesk::end_receivers() {
  while (const auto receiver = receivers_.take_first(receivers_.asked())) send_nothing(*receiver);
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

bool ControlDesk::send(Envelope envelope, std::string answer) {
  const bool sent = socket_.answer(std::move(envelope), std::move(answer));
  if (!sent) sources_.relay_stats.answers_dropped.add();
  return sent;
}

AnswerContext ControlDesk::context(std::string_view channel) const {
  return {sources_.relay.channels().position_of(channel), sources_.epoch,
          sources_.relay.subscribers().of(channel)};
}

}  // namespace syncrelay
