#include "control_desk.h"

#include <algorithm>
#include <utility>

namespace syncrelay {
namespace {

constexpr std::size_t kMaxReceivers = 1000;
constexpr std::size_t kMaxReceivedBytes = 4 * 1024 * 1024;  // of texts in one answer

}  // namespace

const Rejection ControlDesk::kUnread{RejectReason::busy, 0, "earlier answers are not read yet"};

ControlDesk::ControlDesk(ControlSocket& socket, const Sources& sources)
    : socket_(socket),
      sources_(sources),
      tails_(sources.relay),
      traffic_(sources.relay_stats, sources.shards, sources.clock.now()),
      client_replies_(sources.relay, sources.intake, sources.outboxes.size()),
      receivers_(kMaxReceivers) {}

bool ControlDesk::take() {
  const bool any = take_request();
  return take_errand() || any;
}

bool ControlDesk::take_request() {
  Envelope envelope;
  zmq::message_t body;
  const bool received = socket_.receive(envelope.frames, body);
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

// Each of them is a peer of its own: it waits for no other.
bool ControlDesk::take_errand() {
  Errand errand;
  if (sources_.errands == nullptr || !sources_.errands->take(errand)) return false;
  const Ticket ticket = kFirstDoorTicket + errand.number;
  waiting_.emplace(ticket, Asking{Envelope{{}, errand.number}, errand.connection});
  const Asker asker{ticket, static_cast<Peer>(ticket)};
  if (errand.fault) {
    sources_.intake.refuse(*errand.fault, errand.text, asker);
  } else {
    sources_.intake.take(errand.text, asker, errand.traceparent);
  }
  return true;
}

void ControlDesk::close_door() {
  if (sources_.errands != nullptr) sources_.errands->close();
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
    send(std::move(envelope), *rejection);
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
  } else if (auto* browsed = std::get_if<Browsed>(&letter)) {
    answer_tail(tails_.take(std::move(*browsed)));
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
  tails_.serve(sources_.relay_stats.events.get(), sources_.clock.now());
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
  if (!has_room(envelope, kMaxReceivedBytes)) return refuse(std::move(envelope), kUnread);
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
  const auto next = end && lease_end ? std::min(*end, *lease_end) : end;
  const auto tail_end = tails_.next_end();
  return next && tail_end ? std::min(*next, *tail_end) : (next ? next : tail_end);
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
  for (Tails::Answer& answer : tails_.end()) answer_tail(std::move(answer));
}

void ControlDesk::send_large(Envelope envelope, std::string answer) {
  if (!has_room(envelope, answer.size())) return refuse(std::move(envelope), kUnread);
  send(std::move(envelope), std::move(answer));
}

void ControlDesk::refuse(Envelope envelope, const Rejection& rejection) {
  sources_.intake.count(rejection.reason);
  send(std::move(envelope), rejection);
}

bool ControlDesk::send(Envelope envelope, const Rejection& rejection) {
  return send(std::move(envelope), rejected_answer(rejection), rejection.reason);
}

bool ControlDesk::has_room(const Envelope& envelope, std::size_t answer_bytes) {
  return envelope.errand != 0 ? sources_.errands->has_room(answer_bytes)
                              : socket_.has_room(envelope.frames, answer_bytes);
}

bool ControlDesk::send(Envelope envelope, std::string answer, std::optional<RejectReason> refused) {
  const bool sent = envelope.errand != 0
                        ? sources_.errands->answer({envelope.errand, std::move(answer), refused})
                        : socket_.answer(std::move(envelope.frames), std::move(answer));
  if (!sent) sources_.relay_stats.answers_dropped.add();
  return sent;
}

AnswerContext ControlDesk::context(std::string_view channel) const {
  return {sources_.relay.channels().position_of(channel), sources_.epoch,
          sources_.relay.subscribers().of(channel)};
}

}  // namespace syncrelay
