#include "syncrelay/shard/shard.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

namespace syncrelay {
namespace {

constexpr std::size_t kMailboxUpdates = 4096;
constexpr int kPassesPerRun = 4;  // then reads and accepts have their turn
constexpr std::size_t kSessionsPerIntake = 16;
constexpr std::size_t kMaxHeldBytes =
    32 * 1024 * 1024;  // each of: superseded snapshots, evicted chunks

}  // namespace

Shard::Shard(const Settings& settings, const Clock& clock, ShardStats& stats, Outbox& outbox,
             std::function<void()> wake)
    : settings_(settings),
      clock_(clock),
      stats_(stats),
      outbox_(outbox),
      letters_({kMailboxUpdates, static_cast<std::size_t>(settings.window.bytes / 4)}, wake),
      replica_(settings.state_keys, settings.window),
      snapshots_(kMaxHeldBytes, [this](const Snapshot& snapshot) { close_readers(snapshot); }),
      turns_(std::move(wake)),
      time_(clock.now()),
      context_{replica_, snapshots_,          turns_,         clock_, time_,
               stats_,   settings_.keepalive, settings_.epoch} {}

void Shard::restore(const Restored& restored) {
  replica_.restore(restored);
  observed_ = pass_end_ = restored.last.next();
}

Session& Shard::add(ConnectionId id, Transport& transport, const ClientRequest& request) {
  auto session = std::make_unique<Session>(id, transport, request, context_);
  session->slot = sessions_.size();
  sessions_.push_back(std::move(session));
  stats_.accepted.add();
  stats_.clients.set(sessions_.size());
  Session& added = *sessions_.back();
  added.pump();
  return added;
}

void Shard::remove(Session& session) {
  const std::size_t slot = session.slot;
  if (slot + 1 != sessions_.size()) {
    std::swap(sessions_[slot], sessions_.back());
    sessions_[slot]->slot = slot;
  }
  sessions_.pop_back();
  stats_.clients.set(sessions_.size());
}

bool Shard::run() {
  const bool more = run_passes();
  turns_.run();
  return more || !turns_.empty();
}

bool Shard::run_passes() {
  for (int pass = 0; pass < kPassesPerRun; ++pass) {
    if (!begin_pass()) return false;
    run_pass();
    observe_fanout();
  }
  return true;
}

// False when there is nothing new for anybody.
bool Shard::begin_pass() {
  pass_bytes_ = 0;
  pass_events_ = 0;
  replica_.keep_from(turns_.needed_from(replica_.log()));
  const bool was_behind = std::exchange(behind_, false);
  bool taken = take_in_one(!was_behind);
  while (taken && take_in_one(false)) {
  }
  snapshots_.forget_all_but(replica_.state_version());
  pass_end_ = replica_.log().next();
  return taken || was_behind;
}

void Shard::run_pass() {
  for (std::size_t index = 0; index < sessions_.size(); ++index) {
    if (index % kSessionsPerIntake == 0 && index > 0) {
      while (take_in_one(false)) behind_ = true;
    }
    sessions_[index]->pump();
  }
}

// Applies the next update. Unless it is taken whatever its size, it must fit in what a pass may
// take in.
bool Shard::take_in_one(bool whatever_size) {
  if (next_incoming_ == incoming_.size()) {
    next_incoming_ = 0;
    letters_.take(incoming_);
    if (incoming_.empty()) return false;
  }
  if (const auto* inquiry = std::get_if<Inquiry>(&incoming_[next_incoming_])) {
    answer(*inquiry);
    ++next_incoming_;
    return true;
  }
  const Update& update = std::get<Update>(incoming_[next_incoming_]);
  const bool fits = pass_bytes_ + update.size <= settings_.window.bytes / 3 &&
                    pass_events_ + 1 <= std::max<std::uint64_t>(settings_.window.events / 3, 1);
  if (!fits && !whatever_size) return false;
  pass_bytes_ += update.size;
  if (update.chunk) ++pass_events_;
  replica_.apply(update);
  incoming_[next_incoming_] = {};
  ++next_incoming_;
  return true;
}

void Shard::answer(const Inquiry& inquiry) const {
  Reported reported{inquiry.number, {}};
  reported.clients.reserve(sessions_.size());
  for (const auto& session : sessions_) reported.clients.push_back(session->info());
  outbox_.put(std::move(reported));
}

void Shard::observe_fanout() {
  const EventLog& log = replica_.log();
  const TimePoint now = clock_.now();
  for (observed_ = std::max(observed_, log.first()); observed_ < pass_end_;
       observed_ = observed_.next()) {
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(now - log.accepted(observed_));
    stats_.fanout.observe(static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0)));
  }
  stats_.log_bytes.set(log.bytes());
  stats_.log_events.set(log.events());
  if (log.end().position - held_checked_at_ > kMaxHeldBytes / 2) bound_held_chunks();
}

// Slow clients in the middle of long messages keep chunks alive that have left the window. Where
// that comes to more than is allowed, those go that hold the oldest.
void Shard::bound_held_chunks() {
  const std::uint64_t window_begin = replica_.log().end().position - replica_.log().bytes();
  held_checked_at_ = replica_.log().end().position;
  std::map<std::uint64_t, std::size_t> held;  // size by place in the log
  std::size_t bytes = 0;
  for (const auto& session : sessions_) {
    const LogChunk* chunk = session->held_chunk();
    if (chunk == nullptr || chunk->begin() + chunk->capacity() > window_begin) continue;
    if (held.emplace(chunk->begin(), chunk->capacity()).second) bytes += chunk->capacity();
  }
  std::uint64_t release_before = 0;
  for (auto oldest = held.begin(); bytes > kMaxHeldBytes; ++oldest) {
    bytes -= oldest->second;
    release_before = oldest->first + oldest->second;
  }
  for (const auto& session : sessions_) {
    const LogChunk* chunk = session->held_chunk();
    if (chunk != nullptr && chunk->begin() < release_before)
      session->close(CloseCause::over_capacity);
  }
}

// Slow clients hold superseded snapshots; where that comes to more than is allowed, those go that
// hold the oldest.
void Shard::close_readers(const Snapshot& snapshot) {
  for (const auto& session : sessions_) {
    if (session->snapshot() == &snapshot) session->close(CloseCause::over_capacity);
  }
}

void Shard::tick() {
  time_.tick(clock_.now());
  std::uint64_t lag = 0;
  for (const auto& session : sessions_) {
    session->tick();
    lag = std::max(lag, session->lag());
  }
  stats_.lag_events_max.set(lag);
  bound_held_chunks();
}

bool Shard::drained() const {
  const auto done = [](const auto& session) { return session->idle() || session->closing(); };
  return !behind_ && next_incoming_ == incoming_.size() &&
         std::all_of(sessions_.begin(), sessions_.end(), done);
}

void Shard::close_all(CloseCause cause) {
  for (const auto& session : sessions_) session->close(cause);
}

}  // namespace syncrelay
