#include "syncrelay/shard/session.h"

#include <chrono>
#include <utility>

namespace syncrelay {

Session::Session(ConnectionId id, Transport& transport, const ClientRequest& request,
                 const SessionContext& context)
    : id_(id),
      transport_(transport),
      context_(context),
      since_(context.clock.now()),
      since_wall_(context.clock.wall()),
      heartbeat_(request.heartbeat.value_or(context.keepalive.heartbeat)),
      resume_after_(request.resume_after),
      wants_resume_(request.wants_resume),
      cursor_(context.replica.log().end()),
      received_at_(since_),
      next_ping_(context.time.now() + context.keepalive.ping_interval),
      next_heartbeat_(context.time.now() + heartbeat_) {}

Session::~Session() {
  if (blocked_) context_.stats.slow_clients.subtract();
  context_.turns.remove(*this);
}

void Session::pump() {
  while (!blocked_ && !closing_ && step()) {
  }
}

// One write, or one decision what to write. False when nothing is due.
bool Session::step() {
  if (own_sent_ < own_.size()) return write_own();
  if (snapshot_) return false;
  if (middle_.chunk) return write_middle();
  if (phase_ == Phase::joining) {
    begin_first_message();
    return true;
  }
  return write_events();
}

bool Session::write_own() {
  own_sent_ += write_whole_frames(as_bytes(own_).subspan(own_sent_));
  if (own_sent_ < own_.size()) return false;
  std::string().swap(own_);
  own_sent_ = 0;
  return true;
}

// A fragment goes whole or not at all: the session never stops inside one, and so keeps none.
std::size_t Session::write_snapshot(std::size_t bytes) {
  std::size_t offered = 0;
  pump();
  while (has_snapshot_to_write() && offered < bytes) {
    const Snapshot::Fragment& fragment =
        snapshot_->fragment(snapshot_place_, context_.snapshots.scratch());
    offered += fragment.bytes.size();
    if (write_whole_frames(as_bytes(fragment.bytes)) == 0) break;
    snapshot_place_ = fragment.behind;
    if (snapshot_->ends_at(snapshot_place_)) end_snapshot();
  }
  pump();
  return offered;
}

void Session::end_snapshot() {
  snapshot_ = nullptr;
  append_own(snapshot_end(position(), skipped_), MessagePart::end);
  send_heartbeat();
}

bool Session::write_middle() {
  cursor_.position += write_whole_frames(middle_.chunk->read(cursor_.position, middle_.end));
  if (cursor_.position < middle_.end) return false;
  cursor_.next = cursor_.next.next();
  middle_ = {};
  context_.stats.frames_sent.add();
  send_heartbeat();
  return true;
}

bool Session::write_events() {
  const EventLog& log = context_.replica.log();
  if (cursor_.position == log.end().position) return false;
  if (!log.holds(cursor_)) {
    begin_snapshot(SnapshotReason::lag);
    return true;
  }
  const Seq first = cursor_.next;
  const EventLog::Run run = log.read(cursor_);
  const std::size_t written = write(run.bytes);
  if (written == run.bytes.size()) {
    cursor_ = run.behind;
  } else {
    stop_inside(cursor_.position + written);
  }
  context_.stats.frames_sent.add(distance(first, cursor_.next));
  return true;
}

// The transport took the log's bytes up to `position` and no more. Ends the frame there and waits.
void Session::stop_inside(std::uint64_t position) {
  const LoggedEvent event = context_.replica.log().event_at(position);
  const std::uint64_t from = std::max(event.begin, cursor_.position);
  const ByteSpan frames = (*event.chunk)->read(from, event.end);
  const std::size_t taken = position - from;
  const std::size_t end = frame_end(frames, taken);
  finish_frame(frames.subspan(taken, end - taken));
  cursor_.position = from + end;
  cursor_.next = cursor_.position == event.end ? event.seq.next() : event.seq;
  if (cursor_.position > event.begin && cursor_.position < event.end)
    middle_ = {*event.chunk, event.end};
  block();
}

// Writes as much as the transport takes, up to a frame's end; blocks when that is not all. Returns
// the bytes gone.
std::size_t Session::write_whole_frames(ByteSpan frames) {
  const std::size_t written = write(frames);
  if (written == frames.size()) return written;
  const std::size_t end = frame_end(frames, written);
  finish_frame(frames.subspan(written, end - written));
  block();
  return end;
}

std::size_t Session::write(ByteSpan frames) {
  const std::size_t written = transport_.write(frames);
  bytes_sent_ += written;
  context_.stats.bytes_sent.add(written);
  return written;
}

void Session::finish_frame(ByteSpan rest) {
  if (rest.empty()) return;
  transport_.finish_frame(rest);
  bytes_sent_ += rest.size();
  context_.stats.bytes_sent.add(rest.size());
}

void Session::block() {
  blocked_ = true;
  stall_deadline_.reset();
  context_.stats.slow_clients.add();
  transport_.request_writable();
}

void Session::writable() {
  if (!blocked_) return;
  blocked_ = false;
  context_.stats.slow_clients.subtract();
  if (has_snapshot_to_write()) context_.turns.add(*this);
  pump();
}

void Session::begin_first_message() {
  phase_ = Phase::live;
  if (resume_after_ && context_.replica.log().holds(resume_after_->next())) {
    begin_resume(*resume_after_);
  } else {
    begin_snapshot(wants_resume_ ? SnapshotReason::resume_failed : SnapshotReason::connect);
  }
}

void Session::begin_resume(Seq after) {
  const EventLog& log = context_.replica.log();
  cursor_ = log.before(after.next());
  append_own(resume_message({}, position(), log.next().previous()), MessagePart::whole);
  context_.stats.resumes.add();
}

// Moves the client to the end of the log with the state as it is now.
void Session::begin_snapshot(SnapshotReason reason) {
  std::shared_ptr<Snapshot> snapshot = context_.snapshots.get(context_.replica);
  const Cursor end = context_.replica.log().end();
  skipped_ = reason == SnapshotReason::lag ? distance(cursor_.next, end.next) : 0;
  cursor_ = end;
  context_.stats.skipped_events.add(skipped_);
  counter(context_.stats.snapshots, reason).add();
  if (!snapshot->plain().empty())
    return append_own(snapshot->plain() + snapshot_end(position(), skipped_), MessagePart::whole);
  snapshot_ = std::move(snapshot);
  snapshot_place_ = {};
  context_.turns.add(*this);
}

// The time is taken as late as can be: clients compute the offset of their clock from it.
PositionText Session::position() const {
  return {context_.clock.wall(), cursor_.next.previous(), context_.epoch};
}

void Session::append_own(std::string_view message, MessagePart part) {
  const std::size_t begin = own_.size();
  own_.resize(begin + wire_size(message.size()));
  MessageWriter(reinterpret_cast<std::byte*>(own_.data() + begin), message.size(), part)
      .write(message);
  context_.stats.frames_sent.add();
}

bool Session::idle() const {
  return !blocked_ && own_.empty() && !snapshot_ && !middle_.chunk && phase_ == Phase::live &&
         cursor_.position == context_.replica.log().end().position;
}

void Session::received() {
  ping_deadline_.reset();
  received_at_ = context_.clock.now();
}

void Session::asked() {
  heartbeat_due_ = true;
  send_heartbeat();
  pump();
}

ClientInfo Session::info() const {
  const std::chrono::duration<double> silent = context_.clock.now() - received_at_;
  return {id_, std::string(transport_.address()), since_wall_, lag(), bytes_sent_, silent.count(),
          1};
}

void Session::close(CloseCause cause) {
  if (closing_) return;
  closing_ = cause;
  snapshot_ = nullptr;
  middle_ = {};
  transport_.close(cause);
}

void Session::tick() {
  if (closing_) return;
  const TimePoint now = context_.time.now();
  if (heartbeat_ > Duration::zero() && now >= next_heartbeat_) {
    next_heartbeat_ = now + heartbeat_;
    heartbeat_due_ = true;
  }
  if (blocked_) check_stall();
  if (ping_deadline_ && context_.time.heard() >= *ping_deadline_) check_ping();
  send_heartbeat();
  if (now >= next_ping_) send_ping();
  pump();
}

void Session::check_stall() {
  const std::uint64_t taken = transport_.delivery().acknowledged;
  if (!stall_deadline_ || taken > acknowledged_at_stall_) {
    stall_deadline_ = context_.time.now() + context_.keepalive.stall_timeout;
    acknowledged_at_stall_ = taken;
  } else if (context_.time.heard() >= *stall_deadline_) {
    close(CloseCause::stalled);
  }
}

// A peer that is still taking what was sent before the ping, on a slow link or being slow itself,
// is alive.
void Session::check_ping() {
  const Transport::Delivery delivery = transport_.delivery();
  if (delivery.pending && delivery.acknowledged > acknowledged_at_ping_) {
    acknowledged_at_ping_ = delivery.acknowledged;
    ping_deadline_ = context_.time.now() + context_.keepalive.ping_timeout;
  } else {
    close(CloseCause::ping_timeout);
  }
}

// A ping may go out in the middle of a message, and does so to every client but a blocked one,
// which the stall timeout watches; to that one it goes when it takes bytes again.
void Session::send_ping() {
  if (blocked_ || closing_) return;
  next_ping_ = context_.time.now() + context_.keepalive.ping_interval;
  if (ping_deadline_) return;
  own_ += kPingFrame;
  context_.stats.frames_sent.add();
  ping_deadline_ = context_.time.now() + context_.keepalive.ping_timeout;
  acknowledged_at_ping_ = transport_.delivery().acknowledged;
}

// What is due waits for the end of the message that is half sent; a blocked client has at most one
// waiting, ahead of its events.
void Session::send_heartbeat() {
  const bool between_messages = phase_ == Phase::live && !snapshot_ && !middle_.chunk;
  if (!heartbeat_due_ || !between_messages || closing_ || (blocked_ && !own_.empty())) return;
  heartbeat_due_ = false;
  append_own(kHeartbeat, MessagePart::whole);
}

}  // namespace syncrelay
