#include "syncrelay/relay/intake.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "syncrelay/base/utf8.h"

namespace syncrelay {
namespace {

constexpr LineBudget::Bounds kRefusalLines{1, 1};  // on refused commands, and wills: one a second
constexpr std::size_t kShownBytes = 80;            // of a refused command
constexpr std::size_t kMaxTended =
    1024;  // letters of each kind in one batch: as many as a list makes
constexpr Duration kStorageRest = std::chrono::seconds(1);  // before it is tried again for these

// Whether it is true only when the batch is stored.
bool rests_on_batch(const Reply& reply) {
  if (const auto* accepted = std::get_if<Accepted>(&reply.content)) return !accepted->stored;
  if (const auto* settled = std::get_if<Settled>(&reply.content)) return !settled->result.stored;
  const auto* const acknowledged = std::get_if<Acknowledged>(&reply.content);
  return acknowledged != nullptr && !acknowledged->stored;
}

}  // namespace

Intake::Intake(std::size_t max_command, Relay& relay, Order& order, RelayStats& stats,
               const Clock& clock, const Log& log)
    : decoder_(max_command),
      relay_(relay),
      order_(order),
      stats_(stats),
      clock_(clock),
      log_(log),
      lines_(kRefusalLines, clock.now()),
      will_lines_(kRefusalLines, clock.now()),
      tend_from_(clock.now()) {}

void Intake::take(std::string_view message, Ticket ticket) {
  const Result<const Command*, Rejection> command = decoder_.decode(message);
  if (!command) return refuse(command.error(), message, ticket);
  if (!is_query(command.value()->op)) {
    order_.submit(Order::Commanded{message, command.value(), ticket});
    return take_ordered();
  }
  if (ticket != kNobody) return ask(*command.value(), ticket);
  refuse({RejectReason::unknown_op, 0, "a query has no answer here: ask on the control socket"},
         message, ticket);
}

// A query, for whoever has the answers; what changes the inbox does so in its place in the order.
void Intake::ask(const Command& command, Ticket ticket) {
  const WorkerWish& wish = command.worker;
  Inbox& inbox = relay_.inbox();
  switch (command.op) {
    case Op::done:
      return replies_.push_back({ticket, Settled{command.op, inbox.done(wish.numbers)}});
    case Op::extend:
      return replies_.push_back(
          {ticket, Settled{command.op, inbox.extend(wish.numbers, wish.lease, clock_.now())}});
    case Op::release:
      return replies_.push_back(
          {ticket,
           Settled{command.op, inbox.release(wish.numbers, command.untried, clock_.now())}});
    case Op::receive:
      if (wish.events.has(WorkerEvent::message)) inbox.begin_receiving();
      [[fallthrough]];
    default:
      return replies_.push_back({ticket, Query(command)});
  }
}

void Intake::take(const Said& said, Ticket ticket) {
  if (said.kind == Said::Kind::publish) return publish(said, ticket);
  const auto fate = relay_.inbox().say(said, clock_.wall(), relay_.ran());
  if (ticket == kNobody) return;
  switch (fate) {
    case Inbox::Fate::no_backend:
      return replies_.push_back({ticket, RefusedMessage::no_backend});
    case Inbox::Fate::full:
      return replies_.push_back({ticket, RefusedMessage::inbox_full});
    default:
      return replies_.push_back({ticket, Acknowledged{fate == Inbox::Fate::known}});
  }
}

// What has been refused leaves no ref behind.
void Intake::publish(const Said& said, Ticket ticket) {
  if (const auto known = relay_.inbox().known(said, relay_.ran())) {
    if (ticket != kNobody) replies_.push_back({ticket, Acknowledged{!known->staged}});
    return;
  }
  const std::uint64_t refused = refused_;
  take(said.text, ticket);
  if (refused_ == refused && !said.ref.empty()) relay_.inbox().stage_ref(said, relay_.ran());
}

void Intake::take_ordered() {
  while (const Order::Ordered* const ordered = order_.next()) {
    if (const auto* commanded = std::get_if<Order::Commanded>(&ordered->letter)) {
      apply(*commanded, ordered->moment);
    } else if (const auto* expire = std::get_if<Expire>(&ordered->letter)) {
      relay_.apply(*expire, ordered->moment);
    } else if (const auto* forget = std::get_if<Forget>(&ordered->letter)) {
      relay_.apply(*forget, ordered->moment);
    } else if (const auto* arrive = std::get_if<Arrive>(&ordered->letter)) {
      relay_.apply(*arrive, ordered->moment);
    } else {
      const auto& depart = std::get<Depart>(ordered->letter);
      log_departure(depart, relay_.apply(depart, ordered->moment));
    }
  }
}

void Intake::apply(const Order::Commanded& commanded, const Moment& moment) {
  Result<Accepted, Rejection> applied = relay_.apply(*commanded.command, moment);
  if (!applied) return refuse(applied.error(), commanded.message, commanded.ticket);
  if (commanded.ticket != kNobody) {
    replies_.push_back({commanded.ticket, std::move(applied).value()});
  } else if (!applied.value().stored) {
    ++unanswered_;
  }
}

void Intake::refuse(const Rejection& rejection, std::string_view message, Ticket ticket) {
  ++refused_;
  count(rejection.reason);
  if (ticket != kNobody) return replies_.push_back({ticket, rejection});
  log_refusal(rejection, message);
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
  if (now < tend_from_) return false;
  bool any = false;
  for (const Expire& expire : relay_.expired(kMaxTended)) {
    order_.submit(expire);
    take_ordered();
    any = true;
  }
  any = tend_members() || any;
  any = forget(relay_.spare_channels(kMaxTended)) || any;
  if (!relay_.has_idle_channels()) return any;
  return forget(relay_.forgettable(kMaxTended)) || any;
}

bool Intake::forget(const std::vector<Forget>& channels) {
  for (const Forget& channel : channels) {
    order_.submit(channel);
    take_ordered();
  }
  return !channels.empty();
}

// One by one, since each may bring a list of all members with it.
bool Intake::tend_members() {
  std::size_t tended = 0;
  for (; tended < kMaxTended && !relay_.batch_full(); ++tended) {
    const std::vector<Presence::Wish> wishes = relay_.comings_and_goings(1);
    if (wishes.empty()) break;
    std::visit([this](const auto& letter) { order_.submit(letter); }, wishes.front());
    take_ordered();
  }
  return tended > 0;
}

std::optional<TimePoint> Intake::next_tending() const {
  if (relay_.has_idle_channels()) return tend_from_;
  std::optional<TimePoint> next;
  for (const auto due : {relay_.next_expiry(), relay_.next_coming_or_going()}) {
    if (due) next = next ? std::min(*next, *due) : *due;
  }
  if (!next) return std::nullopt;
  return std::max(*next, tend_from_);
}

std::vector<Reply> Intake::publish() {
  const Result<void, Rejection> stored = relay_.publish();
  if (!stored) {
    refuse_unstored(stored.error());
    tend_from_ = clock_.now() + kStorageRest;
  }
  unanswered_ = 0;
  return std::exchange(replies_, {});
}

// All that was accepted, but for repetitions of what is in effect. The log says why, also when all
// of them are answered: it is the storage that somebody has to look after.
void Intake::refuse_unstored(const Rejection& rejection) {
  for (Reply& reply : replies_) {
    if (!rests_on_batch(reply)) continue;
    count(rejection.reason);
    log_refusal(rejection, {});
    reply.content = rejection;
  }
  for (; unanswered_ > 0; --unanswered_) refuse(rejection, {}, kNobody);
}

}  // namespace syncrelay
