#include "syncrelay/relay/intake.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "syncrelay/base/utf8.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/limits.h"
#include "syncrelay/protocol/traceparent.h"

namespace syncrelay {
namespace {

constexpr LineBudget::Bounds kRefusalLines{1, 1};  // on refused commands, and wills: one a second
constexpr std::size_t kShownBytes = 80;            // of a refused command
constexpr std::size_t kMaxTended =
    1024;  // letters of each kind in one batch: as many as a list makes
constexpr Duration kStorageRest = std::chrono::seconds(1);  // before it is tried again for these

const Rejection kNoRoom{RejectReason::cluster_unavailable, 0,
                        "as much as may is on its way through the order of all relays: try again "
                        "later"};
const Rejection kOnItsWay{RejectReason::cluster_unavailable, 0,
                          "what was said before under this ref is on its way through the order of "
                          "all relays: say it again later"};

// By which relays that share an order know it again, wherever it is said: in front of the sender
// stands how long that is, so that no two have the same one. Empty: it is known here alone, since
// the sender is a connection, or both are longer than an id may be.
std::string shared_id(const Said& said) {
  if (said.ref.empty() || said.sender.starts_with('#')) return {};
  std::string id = "published:" + std::to_string(said.sender.size()) + said.sender + ':' + said.ref;
  if (id.size() > kMaxIdBytes) id.clear();
  return id;
}

// Precondition: `command` is a JSON object that is not empty.
std::string with_id(std::string_view command, std::string_view id) {
  std::string text(command.substr(0, command.size() - 1));
  text += R"(,"id":)";
  append_json_string(text, id);
  return text += '}';
}

// Whether it is true only when the batch is stored.
bool rests_on_batch(const Reply& reply) {
  if (const auto* accepted = std::get_if<Accepted>(&reply.content)) return !accepted->stored;
  if (const auto* settled = std::get_if<Settled>(&reply.content)) return !settled->result.stored;
  const auto* const acknowledged = std::get_if<Acknowledged>(&reply.content);
  return acknowledged != nullptr && !acknowledged->stored;
}

}  // namespace

Intake::Intake(const Settings& settings, Relay& relay, Order& order, RelayStats& stats,
               const Clock& clock, const Log& log)
    : settings_(settings),
      decoder_(settings.max_command),
      relay_(relay),
      order_(order),
      stats_(stats),
      clock_(clock),
      log_(log),
      lines_(kRefusalLines, clock.now()),
      will_lines_(kRefusalLines, clock.now()),
      replies_(stats),
      tend_from_(clock.now()) {}

void Intake::take(std::string_view message, const Asker& asker, std::string_view traceparent,
                  const Said* said) {
  endpoint_ = asker.ticket == kNobody ? static_cast<std::size_t>(asker.peer) : 0;
  Result<const Command*, Rejection> command = decoder_.decode(message);
  if (!command) return refuse(command.error(), message, asker);
  if (!is_query(command.value()->op)) {
    if (!has_room_for(asker)) return refuse(kNoRoom, message, asker, command.value());
    const auto rewritten = retraced(message, *command.value(), traceparent);
    if (rewritten) {
      message = *rewritten;
      command = decoder_.decode(message);
    }
    return submit({message, command.value(), asker.ticket}, asker.peer, said);
  }
  if (asker.ticket != kNobody) return ask(*command.value(), asker);
  refuse({RejectReason::unknown_op, 0, "a query has no answer here: ask on the control socket"},
         message, asker, command.value());
}

// The message as it is to be known everywhere, where that is another one: what clients hear of a
// trace is decided by the relay that takes the command, and hangs on the message alone from then
// on.
std::optional<std::string> Intake::retraced(std::string_view message, const Command& command,
                                            std::string_view traceparent) const {
  if (!settings_.trace) {
    if (!is_traced(command)) return std::nullopt;
    return without_traceparents(message, command);
  }
  const bool wanted = !traceparent.empty() && command.trace.empty() &&
                      takes_traceparent(command.op) &&
                      message.size() + kTraceparentRoom <= settings_.max_command;
  if (!wanted) return std::nullopt;
  return with_traceparent(message, traceparent);
}

bool Intake::has_room_for(const Asker& asker) const {
  const Order::Room room = order_.room();
  return room == Order::Room::all || (room == Order::Room::answered && asker.ticket != kNobody);
}

void Intake::submit(const Order::Commanded& commanded, Peer peer, const Said* said) {
  order_.submit(commanded);
  take_next();
  if (commanded.ticket == kNobody) return;
  if (settled_.ticket == commanded.ticket) return keep_ref(said);
  replies_.expect({commanded.ticket, peer}, clock_.now() + settings_.patience, said);
}

// A query, for whoever has the answers; what changes the inbox does so in its place in the order.
void Intake::ask(const Command& command, const Asker& asker) {
  const WorkerWish& wish = command.worker;
  Inbox& inbox = relay_.inbox();
  switch (command.op) {
    case Op::done:
      return replies_.add(asker, Settled{command.op, inbox.done(wish.numbers)});
    case Op::extend:
      return replies_.add(
          asker, Settled{command.op, inbox.extend(wish.numbers, wish.lease, clock_.now())});
    case Op::release:
      return replies_.add(
          asker, Settled{command.op, inbox.release(wish.numbers, command.untried, clock_.now())});
    case Op::receive:
      if (wish.events.has(WorkerEvent::message)) inbox.begin_receiving();
      [[fallthrough]];
    default:
      return replies_.add(asker, Query(command));
  }
}

void Intake::take(const Said& said, const Asker& asker) {
  if (said.kind == Said::Kind::publish) return publish(said, asker);
  const auto fate = relay_.inbox().say(said, clock_.wall(), relay_.ran());
  if (asker.ticket == kNobody) return;
  switch (fate) {
    case Inbox::Fate::no_backend:
      return replies_.add(asker, RefusedMessage::no_backend);
    case Inbox::Fate::full:
      return replies_.add(asker, RefusedMessage::inbox_full);
    default:
      return replies_.add(asker, Acknowledged{fate == Inbox::Fate::known});
  }
}

// What is refused leaves no ref behind. What is said again while nobody knows what becomes of the
// first time is not sent a second time.
void Intake::publish(const Said& said, const Asker& asker) {
  if (const auto known = relay_.inbox().known(said, relay_.ran())) {
    if (asker.ticket != kNobody) replies_.add(asker, Acknowledged{!known->staged});
    return;
  }
  if (replies_.is_expected(said)) return refuse(kOnItsWay, said.text, asker);
  const Said* const kept = said.ref.empty() ? nullptr : &said;
  const std::string id = order_.is_shared() ? shared_id(said) : "";
  of_client_ = true;
  take(id.empty() ? said.text : with_id(said.text, id), asker, {}, kept);
  of_client_ = false;
}

// Of what was settled last.
void Intake::keep_ref(const Said* said) {
  if (said != nullptr && settled_.accepted) relay_.inbox().stage_ref(*said, relay_.ran());
}

bool Intake::take_ordered() {
  bool any = false;
  while (!relay_.batch_full() && take_next()) any = true;
  return any;
}

bool Intake::take_next() {
  const Order::Ordered* const ordered = order_.next();
  if (ordered == nullptr) return false;
  apply(*ordered);
  return true;
}

void Intake::apply(const Order::Ordered& ordered) {
  if (const auto* commanded = std::get_if<Order::Commanded>(&ordered.letter))
    return apply(*commanded, ordered);
  if (ordered.moment.own) ++back_;
  if (const auto* expire = std::get_if<Expire>(&ordered.letter)) {
    relay_.apply(*expire, ordered.moment);
  } else if (const auto* forget = std::get_if<Forget>(&ordered.letter)) {
    relay_.apply(*forget, ordered.moment);
  } else if (const auto* arrive = std::get_if<Arrive>(&ordered.letter)) {
    relay_.apply(*arrive, ordered.moment);
  } else if (const auto* depart = std::get_if<Depart>(&ordered.letter)) {
    log_departure(*depart, relay_.apply(*depart, ordered.moment));
  } else {
    relay_.apply(std::get<Gone>(ordered.letter));
  }
}

// What became of another relay's is for that to tell.
void Intake::apply(const Order::Commanded& commanded, const Order::Ordered& ordered) {
  Result<Accepted, Rejection> applied = relay_.apply(*commanded.command, ordered.moment);
  if (!ordered.moment.own) return;
  if (commanded.ticket != kNobody) return settle(commanded, std::move(applied));
  if (!applied) return refuse(applied.error(), commanded.message, kNobody, commanded.command);
  if (!applied.value().stored) ++unanswered_;
}

// Somebody waits for it.
void Intake::settle(const Order::Commanded& commanded, Result<Accepted, Rejection> applied) {
  const Ticket ticket = commanded.ticket;
  settled_ = {ticket, applied.ok()};
  if (!applied) {
    count(applied.error().reason);
    note(applied.error(), commanded.message, ticket, commanded.command);
  }
  Reply::Content content = applied ? Reply::Content(std::move(applied).value()) : applied.error();
  keep_ref(replies_.settle(ticket, std::move(content)).get());
}

void Intake::refuse(const Rejection& rejection, std::string_view message, const Asker& asker,
                    const Command* command) {
  count(rejection.reason);
  note(rejection, message, asker.ticket, command);
  if (asker.ticket != kNobody) return replies_.add(asker, rejection);
  log_refusal(rejection, message);
}

// For a person who asks later.
void Intake::note(const Rejection& rejection, std::string_view message, Ticket ticket,
                  const Command* command) {
  RefusedCommand refused;
  refused.ts = clock_.wall();
  refused.reason = rejection.reason;
  refused.detail = cut_at_character(as_utf8(rejection.detail), Refusals::kMaxDetail);
  refused.source = of_client_ || ticket >= kFirstClientTicket ? CommandSource::client
                   : ticket >= kFirstDoorTicket               ? CommandSource::http
                   : ticket == kNobody                        ? CommandSource::push
                                                              : CommandSource::control;
  refused.endpoint = refused.source == CommandSource::push ? endpoint_ : 0;
  if (command != nullptr) {
    refused.op = name(command->op);
    refused.channel = command->channel_name();
  }
  if (rejection.channel) refused.channel = *rejection.channel;
  refused.offset = rejection.offset;
  refused.index = rejection.index;
  refused.bytes = message.size();
  refusals_.add(std::move(refused));
}

void Intake::log_refusal(const Rejection& rejection, std::string_view message) {
  std::uint64_t untold = 0;
  if (!lines_.allows(clock_.now(), untold)) return;
  log_.warning("command refused", {{"reason", name(rejection.reason)},
                                   {"detail", rejection.detail},
                                   {"offset", static_cast<std::uint64_t>(rejection.offset)},
                                   {"command", shortened(message, kShownBytes)},
                                   {"refused_since_last_line", untold + 1}});
}

void Intake::log_departure(const Depart& depart, const Departure& departure) {
  std::uint64_t untold = 0;
  if (!departure.will_refused || !will_lines_.allows(clock_.now(), untold)) return;
  log_.warning("the will of a member who has left is refused, and changes nothing",
               {{"channel", depart.channel},
                {"id", depart.id},
                {"reason", name(departure.will_refused->reason)},
                {"detail", departure.will_refused->detail},
                {"refused_since_last_line", untold + 1}});
}

bool Intake::tend() {
  const TimePoint now = clock_.now();
  const bool any = replies_.expire(now);
  const bool on_its_way = proposed_ > 0 && now < proposed_until_;
  if (now < tend_from_ || on_its_way || !has_room()) return any;
  proposed_ = back_ = 0;
  proposed_until_ = now + settings_.patience;
  propose_all();
  return any || proposed_ > 0;
}

void Intake::propose_all() {
  for (const Expire& expire : relay_.expired(kMaxTended)) propose(expire);
  propose_members();
  for (const Forget& channel : relay_.spare_channels(kMaxTended)) propose(channel);
  if (!relay_.has_idle_channels()) return;
  for (const Forget& channel : relay_.forgettable(kMaxTended)) propose(channel);
}

// One by one, since each may bring a list of all members with it.
void Intake::propose_members() {
  for (std::size_t count = 0; count < kMaxTended && !relay_.batch_full(); ++count) {
    const std::vector<Presence::Wish> wishes = relay_.comings_and_goings(1);
    if (wishes.empty()) return;
    std::visit([this](const auto& letter) { propose(letter); }, wishes.front());
  }
}

void Intake::propose(const Order::Letter& letter) {
  ++proposed_;
  order_.submit(letter);
  take_next();
}

std::optional<TimePoint> Intake::next_tending() const {
  std::optional<TimePoint> next = next_proposal();
  if (next) next = std::max(*next, tend_from_);
  if (const auto end = replies_.next_end()) next = next ? std::min(*next, *end) : *end;
  return next;
}

std::optional<TimePoint> Intake::next_proposal() const {
  if (proposed_ > 0) return proposed_until_;
  if (!has_room()) return std::nullopt;  // it wakes the relay
  if (relay_.has_idle_channels()) return tend_from_;
  std::optional<TimePoint> next;
  for (const auto due : {relay_.next_expiry(), relay_.next_coming_or_going()}) {
    if (due) next = next ? std::min(*next, *due) : *due;
  }
  return next;
}

std::vector<Reply> Intake::publish() {
  order_.flush();
  const Result<void, Rejection> stored = relay_.publish();
  if (!stored) {
    refuse_unstored(stored.error());
    tend_from_ = clock_.now() + kStorageRest;
  }
  unanswered_ = 0;
  proposed_ -= std::min(proposed_, std::exchange(back_, 0));
  return std::exchange(replies_.ready(), {});
}

// All that was accepted, but for repetitions of what is in effect; where replies wait for earlier
// ones, the order is not the relay's alone, and it has no store. The log says why, also when all
// of them are answered: it is the storage that somebody has to look after.
void Intake::refuse_unstored(const Rejection& rejection) {
  for (Reply& reply : replies_.ready()) {
    if (!rests_on_batch(reply)) continue;
    count(rejection.reason);
    note(rejection, {}, reply.ticket, nullptr);
    log_refusal(rejection, {});
    reply.content = rejection;
  }
  for (; unanswered_ > 0; --unanswered_) refuse(rejection, {}, kNobody);
}

}  // namespace syncrelay
