#include "syncrelay/shard/session.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "syncrelay/channel/tombstones.h"
#include "syncrelay/shard/identities.h"

namespace syncrelay {
namespace {

struct ByChannel {
  bool operator()(const std::unique_ptr<Follower>& follower, const ReplicaChannel* channel) const {
    return std::less<const ReplicaChannel*>()(&follower->channel(), channel);
  }
};

void set_shared(Follower& follower, bool shared) {
  follower.channel().followers.set_shared(follower, shared);
}

}  // namespace

Session::Session(ConnectionId id, Transport& transport, Duration heartbeat, bool deflates,
                 const SessionContext& context)
    : outlet_(transport, context.stats, deflates),
      context_(context),
      keepalive_(context.keepalive, heartbeat, context.time.now(), context.clock.now()),
      id_(id),
      since_(keepalive_.received_at()),
      story_(context.clock.wall()) {}

Session::~Session() {
  context_.turns.remove(*this);
}

Follower* Session::find(const ReplicaChannel& channel) const {
  const std::size_t place = place_of(channel);
  const bool here = place < followers_.size() && &followers_[place]->channel() == &channel;
  return here ? followers_[place].get() : nullptr;
}

// Where its follower is, or would be.
std::size_t Session::place_of(const ReplicaChannel& channel) const {
  const auto* const place =
      std::lower_bound(followers_.begin(), followers_.end(), &channel, ByChannel());
  return static_cast<std::size_t>(place - followers_.begin());
}

Follower& Session::follow(ReplicaChannel& channel, Follower::Joining joining) {
  auto follower = std::make_unique<Follower>(*this, channel, joining);
  Follower& added = *follower;
  followers_.insert(place_of(channel), std::move(follower));
  if (followers_.size() == 1) return added;
  if (!due_) {
    due_ = std::make_unique<DueFollowers>();
    for (const auto& each : followers_) {
      if (each.get() == &added) continue;
      set_shared(*each, true);
      due_->add(*each);
    }
  }
  set_shared(added, true);
  due_->add(added);
  return added;
}

void Session::unfollow(Follower& follower) {
  if (due_) due_->remove(follower);
  followers_.erase(place_of(follower.channel()));
  if (followers_.size() != 1) return;
  due_.reset();
  followers_.front()->due = false;
  set_shared(*followers_.front(), false);
}

void Session::pump() {
  while (!outlet_.blocked() && !closing_ && step()) {
  }
}

// One write, or one decision what to write. False when nothing is due.
bool Session::step() {
  switch (outlet_.due()) {
    case Outlet::Due::frames:
      return outlet_.write_frames();
    case Outlet::Due::snapshot:
      return false;
    case Outlet::Due::rest_of_event:
      if (!outlet_.write_rest_of_event()) return false;
      send_heartbeat();
      return true;
    case Outlet::Due::messages:
      return outlet_.write_messages();
    case Outlet::Due::nothing:
      break;
  }
  if (due_) return write_of_several();
  return !followers_.empty() && write_of_one(*followers_.front());
}

// Where the log does not hold any more what a client has still to get, it moves to the log's end
// with the state as it is now. False: all is there.
bool Session::catch_up(Follower& follower) {
  if (follower.in_window()) return false;
  if (!follower.renumbered()) {
    begin_snapshot(follower, SnapshotReason::lag);
  } else if (follower.can_begin_anew()) {
    begin_anew(follower);
  } else {
    begin_snapshot(follower, SnapshotReason::renumbered);
  }
  return true;
}

// A fragment goes whole or not at all: the session never stops inside one, and so keeps none.
std::size_t Session::write_snapshot(std::size_t bytes) {
  std::size_t offered = 0;
  pump();
  while (has_snapshot_to_write() && offered < bytes) {
    offered += outlet_.write_fragment(context_.snapshots.scratch(), context_.deflation.deflater());
    const SnapshotUnderWay& under_way = *outlet_.snapshot();
    if (under_way.snapshot->ends_at(under_way.place)) end_snapshot();
  }
  pump();
  tell_what_waited();
  return offered;
}

// The time is taken as late as can be: clients compute the offset of their clock from it.
void Session::end_snapshot() {
  const SnapshotUnderWay& under_way = *outlet_.snapshot();
  const std::string epoch = epoch_of(context_.epoch, under_way.generation);
  outlet_.end_snapshot(
      snapshot_end({context_.clock.wall(), under_way.seq, epoch}, under_way.skipped));
  send_heartbeat();
}

void Session::writable() {
  outlet_.unblock();
  keepalive_.took_bytes();
  if (has_snapshot_to_write()) context_.turns.add(*this);
  pump();
  tell_what_waited();
}

// Its first message, or that of a further channel that is due, is still to be written.
bool Session::joins() const {
  if (due_ && due_->joining() != nullptr) return true;
  const auto joins = [](const auto& follower) { return follower->joining() != nullptr; };
  return !followers_.empty() && std::all_of(followers_.begin(), followers_.end(), joins);
}

// Where nothing holds the session up, all that it was noted of is written.
void Session::tell_behind_events(std::string_view message) {
  pump();
  const std::uint64_t place = context_.noted_until;
  if (!has_late_answers() && !(held_up() && owes_before(place))) return tell(message);
  speaker().late.add(place, message);
}

bool Session::owes_before(std::uint64_t place) const {
  const auto owes = [place](const auto& follower) { return follower->owes_before(place); };
  return std::any_of(followers_.begin(), followers_.end(), owes);
}

// Answers whose events are written now, or were skipped.
void Session::tell_what_waited() {
  if (!has_late_answers() || closing_) return;
  const bool behind = held_up();
  speaker_->late.tell([&](std::uint64_t place) { return behind && owes_before(place); },
                      [this](std::string_view text) { tell(text); });
  pump();
}

void Session::begin(Follower& follower) {
  if (const auto after = follower.resumes_after()) {
    begin_resume(follower, *after);
  } else if (follower.joining()->wants_resume) {
    record(StoryKind::not_resumed, follower.joining()->after.value,
           static_cast<std::uint64_t>(follower.no_resume()), text(follower.channel().name));
    begin_snapshot(follower, SnapshotReason::resume_failed);
  } else {
    begin_snapshot(follower, SnapshotReason::connect);
  }
}

void Session::begin_resume(Follower& follower, Seq after) {
  const ReplicaChannel& channel = follower.channel();
  follower.go_on(after.next());
  const std::string epoch = epoch_of(context_.epoch, channel.generation);
  outlet_.add_message(
      resume_message(text(channel.name), {context_.clock.wall(), after, epoch}, channel.last()));
  context_.stats.resumes.add();
  record(StoryKind::resumed, after.value, distance(after, channel.last()), text(channel.name));
}

// Moves the client to where the channel's numbers begin, with the state that was there: none.
void Session::begin_anew(Follower& follower) {
  const ReplicaChannel& channel = follower.channel();
  follower.go_on(channel.begin);
  counter(context_.stats.snapshots, SnapshotReason::renumbered).add();
  record(StoryKind::renumbered, channel.begin.previous().value, 0, text(channel.name));
  const std::string epoch = epoch_of(context_.epoch, channel.generation);
  const std::string members(channel.keeps_members ? kSnapshotMembers : std::string_view());
  outlet_.add_message(snapshot_head(text(channel.name)) + members + std::string(kSnapshotTail) +
                      snapshot_end({context_.clock.wall(), channel.begin.previous(), epoch}, 0));
}

// Moves the client to the end of the log with the state as it is now.
void Session::begin_snapshot(Follower& follower, SnapshotReason reason) {
  const ReplicaChannel& channel = follower.channel();
  std::shared_ptr<Snapshot> snapshot = context_.snapshots.get(channel);
  const std::uint64_t skipped = follower.lag();
  follower.go_on(channel.log.next());
  context_.stats.skipped_events.add(skipped);
  counter(context_.stats.snapshots, reason).add();
  record_snapshot(channel, reason, skipped);
  if (snapshot->plain().empty()) {
    outlet_.begin_snapshot({std::move(snapshot), channel.last(), channel.generation, skipped});
    return context_.turns.add(*this);
  }
  const std::string epoch = epoch_of(context_.epoch, channel.generation);
  add_snapshot(*snapshot, snapshot_end({context_.clock.wall(), channel.last(), epoch}, skipped));
}

void Session::record_snapshot(const ReplicaChannel& channel, SnapshotReason reason,
                              std::uint64_t skipped) {
  const std::uint64_t seq = channel.last().value;
  const std::string_view name = text(channel.name);
  if (reason == SnapshotReason::lag) return record(StoryKind::skipped, skipped, seq, name);
  record(reason == SnapshotReason::renumbered ? StoryKind::renumbered : StoryKind::followed, seq, 0,
         name);
}

void Session::add_snapshot(Snapshot& snapshot, std::string_view end) {
  std::string payload =
      outlet_.deflates() ? snapshot.plain_deflated(context_.deflation) : std::string();
  if (payload.empty()) return outlet_.add_message(snapshot.plain() + std::string(end));
  Deflater::append_stored_end(payload, end);
  outlet_.add_message(payload, Coding::deflated);
}

bool Session::idle() const {
  if (!outlet_.idle()) return false;
  if (due_) return due_->empty();
  return followers_.empty() || !followers_.front()->has_work();
}

std::uint64_t Session::lag() const {
  if (due_) return due_->lag();
  return followers_.empty() ? 0 : followers_.front()->lag();
}

std::uint64_t Session::needed_from() const {
  const std::uint64_t from = context_.log.end();
  if (due_) return std::min({from, context_.noted_until, due_->needed_from()});
  if (followers_.empty() || joins()) return from;
  const Follower& follower = *followers_.front();
  return follower.pending() && follower.in_window() ? follower.place() : from;
}

const Snapshot* Session::snapshot() const {
  const SnapshotUnderWay* const under_way = outlet_.snapshot();
  return under_way == nullptr ? nullptr : under_way->snapshot.get();
}

void Session::answer() {
  send_heartbeat();
  pump();
}

ClientInfo Session::info() const {
  const std::chrono::duration<double> silent = context_.clock.now() - keepalive_.received_at();
  return {id_,
          std::string(transport().address()),
          story_.begin(),
          lag(),
          bytes_sent(),
          silent.count(),
          followers_.size(),
          identity() != nullptr ? identity()->id : std::string()};
}

std::chrono::milliseconds Session::age() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(context_.clock.now() - since_);
}

void Session::record(StoryKind kind, std::uint64_t a, std::uint64_t b, std::string_view text) {
  story_.add({kind, age(), a, b, text});
}

void Session::count(StoryKind kind, std::uint64_t a, std::string_view text) {
  story_.count({kind, age(), a, 1, text});
}

void Session::record_pace(Keepalive::Pace pace) {
  if (pace == Keepalive::Pace::same) return;
  const bool slow = pace == Keepalive::Pace::slow;
  record(slow ? StoryKind::slow : StoryKind::caught_up, slow ? lag() : 0);
}

void Session::close(CloseCause cause) {
  if (closing_) return;
  closing_ = cause;
  outlet_.let_go();
  transport().close(cause);
}

bool Session::dismiss(Parting parting) {
  if (closing_) return false;
  speaker().parting = std::move(parting);
  close(CloseCause::dismissed);
  return true;
}

// Answers that a client does not read wait; the end of a channel may find any number waiting, and
// adds one for each that is followed.
void Session::bound_untold() {
  if (untold_bytes() > kMaxUntoldBytes / 4) pump();
  if (untold_bytes() > kMaxUntoldBytes) close(CloseCause::over_capacity);
}

Speaker& Session::speaker() {
  if (!speaker_) speaker_ = std::make_unique<Speaker>();
  return *speaker_;
}

void Session::tick() {
  if (closing_) return;
  keepalive_.note_heartbeat(context_.time.now());
  record_pace(keepalive_.judge_pace(outlet_.blocked()));
  if (const auto cause = keepalive_.judge(context_.time, outlet_.blocked(), transport()))
    return close(*cause);
  send_heartbeat();
  send_ping();
  if (!outlet_.idle()) pump();
}

// A ping may go out in the middle of a message, and does so to every client but a blocked one,
// which the stall timeout watches; to that one it goes when it takes bytes again.
void Session::send_ping() {
  if (outlet_.blocked()) return;
  if (keepalive_.begin_ping(context_.time.now(), transport())) outlet_.add_control(kPingFrame);
}

// What is due waits for the end of the message that is half sent; a blocked client has at most one
// waiting, ahead of its events.
void Session::send_heartbeat() {
  if (!keepalive_.heartbeat_due() || closing_ || joins() || outlet_.in_long_message()) return;
  if (outlet_.blocked() && outlet_.due() != Outlet::Due::nothing) return;
  keepalive_.sent_heartbeat();
  outlet_.add_message(kHeartbeat);
}

}  // namespace syncrelay
