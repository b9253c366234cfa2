#include "syncrelay/shard/shard.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "browsing.h"
#include "syncrelay/base/prefetch.h"

namespace syncrelay {
namespace {

constexpr std::size_t kMailboxUpdates = 4096;
constexpr int kPassesPerRun = 4;  // then reads and accepts have their turn
constexpr std::size_t kSessionsPerIntake = 16;
constexpr std::size_t kMaxHeldBytes =
    32 * 1024 * 1024;  // each of: superseded snapshots, evicted chunks

template <typename Count>
std::uint64_t sum(const Update& step, Count count) {
  std::uint64_t all = count(step);
  if (!step.also) return all;
  for (const Update& part : *step.also) all += count(part);
  return all;
}

std::uint64_t log_bytes(const Update& step) {
  return sum(step, [](const Update& part) { return std::uint64_t{part.size}; });
}

std::uint64_t log_events(const Update& step) {
  return sum(step, [](const Update& part) { return std::uint64_t{part.chunk ? 1U : 0U}; });
}

}  // namespace

Shard::Shard(const Settings& settings, const Clock& clock, ShardStats& stats, Outbox& outbox,
             std::function<void()> wake)
    : settings_(settings),
      clock_(clock),
      stats_(stats),
      outbox_(outbox),
      letters_({kMailboxUpdates, static_cast<std::size_t>(settings.window.bytes / 4)}, wake),
      replica_(settings.state_keys, settings.window, settings.speech.presence),
      snapshots_(replica_, kMaxHeldBytes,
                 [this](const Snapshot& snapshot) { close_readers(snapshot); }),
      turns_(std::move(wake)),
      identities_(settings_.speech.presence, outbox, clock, stats),
      subscriptions_(settings_.subscriptions, settings_.epoch, replica_, identities_, outbox,
                     stats),
      speakers_(settings_.speech, subscriptions_, identities_, outbox, clock, stats),
      grants_(speakers_, subscriptions_, clock),
      chronicle_(stats),
      time_(clock.now()),
      deflation_(stats, clock),
      context_{replica_.log(),      snapshots_,      turns_,       clock_, time_,     stats_,
               settings_.keepalive, settings_.epoch, noted_until_, picks_, deflation_} {
  stats_.channels.set(replica_.channels());
}

void Shard::restore(const Restored& restored) {
  replica_.restore(restored);
  observed_ = noted_until_ = replica_.log().end();
  stats_.channels.set(replica_.channels());
}

Session& Shard::add(ConnectionId id, Transport& transport, const ClientRequest& request) {
  auto session = std::make_unique<Session>(
      id, transport, request.heartbeat.value_or(settings_.keepalive.heartbeat), request.deflates,
      context_);
  session->slot = static_cast<std::uint32_t>(sessions_.size());
  sessions_.push_back(std::move(session));
  stats_.accepted.add();
  stats_.clients.set(sessions_.size());
  Session& added = *sessions_.back();
  tell_connected(added);
  begin_story(added, request);
  if (!request.session.empty()) added.speaker().session = request.session;
  grants_.begin(added, request.access);
  for (const SubscribeMessage& wish : request.subscriptions) {
    if (!Grants::is_own(added, wish.channel)) subscriptions_.subscribe(added, wish);
  }
  grants_.follow_personal(added, request.subscriptions);
  added.pump();
  return added;
}

// Before the relay hears who follows what, so that workers hear of a connection before its members.
void Shard::tell_connected(const Session& session) {
  if (!outbox_.wants(WorkerEvent::connected)) return;
  Notice notice{WorkerEvent::connected, clock_.wall(), clock_.now(), session.id().value};
  notice.address = session.transport().address();
  outbox_.put(std::move(notice));
}

void Shard::tell_disconnected(const Session& session, std::uint16_t code) {
  if (!outbox_.wants(WorkerEvent::disconnected)) return;
  Notice notice{WorkerEvent::disconnected, clock_.wall(), clock_.now(), session.id().value};
  if (const Identity* const identity = session.identity()) notice.id = identity->id;
  notice.code = code;
  notice.duration = notice.at - session.since();
  outbox_.put(std::move(notice));
}

void Shard::remove(Session& session, Farewell farewell, std::uint16_t code) {
  tell_disconnected(session, code);
  subscriptions_.leave(session, farewell);
  grants_.leave(session);
  const Identity* const identity = session.identity();
  chronicle_.add(session.id(), identity == nullptr ? std::string_view() : identity->id,
                 session.take_story());
  speakers_.leave(session);
  const std::uint32_t slot = session.slot;
  if (slot + 1 != sessions_.size()) {
    std::swap(sessions_[slot], sessions_.back());
    sessions_[slot]->slot = slot;
  }
  sessions_.pop_back();
  stats_.clients.set(sessions_.size());
}

void Shard::hear(Session& session, ClientMessage message) {
  if (session.closing()) return;
  if (auto* hello = std::get_if<HelloMessage>(&message))
    return speakers_.hear(session, std::move(*hello));
  if (auto* publish = std::get_if<PublishMessage>(&message))
    return speakers_.hear(session, std::move(*publish));
  if (auto* said = std::get_if<BackendMessage>(&message))
    return speakers_.hear(session, std::move(*said));
  if (const auto* token = std::get_if<TokenMessage>(&message)) {
    if (may_renew(session, *token)) hear(session, *token, std::shared_ptr<const Access>());
    return;
  }
  if (const auto* unreadable = std::get_if<UnreadableMessage>(&message))
    return session.close(unreadable->cause);
  if (const auto* wish = std::get_if<SubscribeMessage>(&message)) {
    counter(stats_.client_messages, ClientMessageKind::subscribe).add();
    subscriptions_.subscribe(session, *wish);
  } else if (const auto* end = std::get_if<UnsubscribeMessage>(&message)) {
    counter(stats_.client_messages, ClientMessageKind::unsubscribe).add();
    subscriptions_.unsubscribe(session, end->channel);
  } else {
    counter(stats_.client_messages, ClientMessageKind::ping).add();
    session.ask_for_heartbeat();
  }
}

bool Shard::may_renew(Session& session, const TokenMessage& message) {
  if (session.closing()) return false;
  counter(stats_.client_messages, ClientMessageKind::token).add();
  return grants_.may_renew(session, message);
}

void Shard::hear(Session& session, const TokenMessage& message,
                 Result<std::shared_ptr<const Access>, RefusedMessage> granted) {
  if (!granted) return grants_.refuse(session, message, granted.error());
  if (granted.value() == nullptr) return grants_.renew_nothing(session, message);
  grants_.renew(session, message, std::move(granted).value());
}

bool Shard::run() {
  deflation_.begin_turn();
  const bool more = run_passes();
  turns_.run();
  end_dropped();
  return more || !turns_.empty();
}

bool Shard::run_passes() {
  for (int pass = 0; pass < kPassesPerRun; ++pass) {
    if (!begin_pass()) return false;
    run_pass();
    end_pass();
  }
  return true;
}

// False when there is nothing new for anybody.
bool Shard::begin_pass() {
  pass_bytes_ = 0;
  pass_events_ = 0;
  replica_.keep_from(turns_.needed_from());
  const bool was_behind = std::exchange(behind_, false);
  bool taken = take_in_one(!was_behind);
  while (taken && take_in_one(false)) {
  }
  if (!taken && !was_behind) return false;
  begin_visits();
  return true;
}

void Shard::begin_visits() {
  snapshots_.forget_superseded();
  visits_.clear();
  const std::vector<ReplicaChannel*>& news = replica_.news();
  for (std::size_t at = 0; at < news.size(); ++at) {
    constexpr std::size_t kAhead = 4;
    if (at + kAhead < news.size() && news[at + kAhead] != nullptr)
      news[at + kAhead]->followers.prefetch();
    const ReplicaChannel* const channel = news[at];
    if (channel == nullptr) continue;
    visits_.add(channel->followers);
    for (std::size_t index = 0; index < channel->followers.shared(); ++index) {
      auto& follower = static_cast<Follower&>(channel->followers[index]);
      follower.session().note(follower);
    }
  }
  replica_.forget_news();
  noted_until_ = replica_.log().end();
  ending_ = replica_.dropped().size();
  private_due_ = private_.size();
}

// Who follows a channel does not change meanwhile.
void Shard::run_pass() {
  for (std::size_t visit = 0; visit < visits_.size(); ++visit) {
    if (visit % kSessionsPerIntake == 0 && visit > 0) {
      while (take_in_one(false)) behind_ = true;
    }
    Follower& follower = visits_[visit];
    follower.session().visit(follower);
  }
}

void Shard::end_pass() {
  end_dropped();
  take_private();
  stats_.channels.set(replica_.channels());
  observe_fanout();
}

void Shard::end_dropped() {
  if (ending_ > 0) ending_ = subscriptions_.end_dropped(ending_);
}

// Applies the next step. Unless it is taken whatever its size, it must fit in what a pass may take
// in.
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
  if (const auto* wish = std::get_if<std::shared_ptr<const Browse>>(&incoming_[next_incoming_])) {
    outbox_.put(browse(replica_, **wish));
    ++next_incoming_;
    return true;
  }
  if (!std::holds_alternative<Update>(incoming_[next_incoming_])) {
    private_.push_back(std::move(incoming_[next_incoming_++]));
    return true;
  }
  const Update& step = std::get<Update>(incoming_[next_incoming_]);
  if (!whatever_size && !fits(step)) return false;
  pass_bytes_ += log_bytes(step);
  pass_events_ += log_events(step);
  replica_.apply(step);
  incoming_[next_incoming_] = {};
  ++next_incoming_;
  return true;
}

bool Shard::fits(const Update& step) const {
  const EventLog::Bounds& window = settings_.window;
  return pass_bytes_ + log_bytes(step) <= window.bytes / 3 &&
         pass_events_ + std::max<std::uint64_t>(log_events(step), 1) <=
             std::max<std::uint64_t>(window.events / 3, 1);
}

void Shard::take_private() {
  for (std::size_t index = 0; index < private_due_; ++index) {
    if (const auto* notes = std::get_if<std::shared_ptr<const Notes>>(&private_[index])) {
      speakers_.tell(**notes);
    } else if (const auto* inquiry =
                   std::get_if<std::shared_ptr<const StoryInquiry>>(&private_[index])) {
      tell_story(**inquiry);
    } else {
      dismiss(*std::get<std::shared_ptr<const Dismissal>>(private_[index]));
    }
  }
  private_.erase(private_.begin(), private_.begin() + static_cast<std::ptrdiff_t>(private_due_));
  private_due_ = 0;
}

void Shard::observe_fanout() {
  const EventLog& log = replica_.log();
  const TimePoint now = clock_.now();
  log.for_each_accepted(observed_, noted_until_, [&](TimePoint accepted) {
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - accepted);
    stats_.fanout.observe(static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0)));
  });
  observed_ = noted_until_;
  stats_.log_bytes.set(log.bytes());
  stats_.log_events.set(log.events());
  if (log.end() - held_checked_at_ > kMaxHeldBytes / 2) bound_held_chunks();
}

// Slow clients in the middle of long messages keep chunks alive that have left the window. Where
// that comes to more than is allowed, those go that hold the oldest.
void Shard::bound_held_chunks() {
  const std::uint64_t window_begin = replica_.log().begin();
  held_checked_at_ = replica_.log().end();
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
  deflation_.begin_turn();
  grants_.tick();
  std::uint64_t lag = 0;
  bool held = false;
  for (std::size_t at = 0; at < sessions_.size(); ++at) {
    constexpr std::size_t kAhead = 4;
    if (at + kAhead < sessions_.size())
      prefetch(sessions_[at + kAhead].get(), Session::kTickedBytes);
    Session& session = *sessions_[at];
    session.tick();
    if (behind_ || session.held_up()) lag = std::max(lag, session.lag());
    held |= session.held_chunk() != nullptr;
  }
  subscriptions_.tick();
  stats_.lag_events_max.set(lag);
  if (held) bound_held_chunks();
}

bool Shard::drained() const {
  const auto done = [](const auto& session) { return session->idle() || session->closing(); };
  return !behind_ && next_incoming_ == incoming_.size() && private_.empty() &&
         replica_.dropped().empty() && std::all_of(sessions_.begin(), sessions_.end(), done);
}

void Shard::close_all(CloseCause cause) {
  for (const auto& session : sessions_) session->close(cause);
}

}  // namespace syncrelay
