#include "syncrelay/redis/redis_order.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <variant>

namespace syncrelay {
namespace {

// Of what may be under way at most; beyond it only commands that somebody waits for go in, of
// which there are only so many.
constexpr std::size_t kAmpleBytes = 4 << 20;
constexpr std::size_t kAmpleAppends = 32'768;

constexpr int kLookMilliseconds = 100;  // whether to give up

TimePoint steady_now() {
  return std::chrono::steady_clock::now();
}

// Calls of append() that come no more behind this event.
std::uint64_t own_appends(const ClusterEvent& event) {
  if (const auto* const came = std::get_if<LettersCame>(&event)) return came->own_appends;
  if (const auto* const loaded = std::get_if<StateLoaded>(&event)) return loaded->own_appends;
  if (const auto* const changed = std::get_if<OwnIdChanged>(&event)) return changed->own_appends;
  return 0;
}

// Letters of one turn leave together, so many bytes at a time: the first of many are on their way
// while the others are read.
constexpr std::size_t kGathered = 32 << 10;

// Before each letter in an entry, since many of them lie one behind the other.
constexpr std::size_t kFrameBytes = 4;

void add_frame(std::string& to, const std::string& letter) {
  for (std::size_t index = 0; index < kFrameBytes; ++index)
    to += static_cast<char>(letter.size() >> (8 * index) & 0xff);
  to += letter;
}

// nullopt: it is cut off.
std::optional<std::string_view> frame_at(std::string_view bytes, std::size_t at) {
  if (bytes.size() - at < kFrameBytes) return std::nullopt;
  std::size_t size = 0;
  for (std::size_t index = 0; index < kFrameBytes; ++index)
    size |= static_cast<std::size_t>(static_cast<unsigned char>(bytes[at + index])) << (8 * index);
  if (bytes.size() - at - kFrameBytes < size) return std::nullopt;
  return bytes.substr(at + kFrameBytes, size);
}

}  // namespace

RedisOrder::RedisOrder(ClusterLog::Settings settings, const Log& log, std::function<void()> wake)
    : stats_(settings.stats == nullptr ? unseen_ : *settings.stats), wake_(std::move(wake)) {
  settings.wake = [this] {
    arrived_ = true;
    wake_();
  };
  log_.emplace(std::move(settings), log);
  home_ = log_->relay().value;
  maker_.emplace([this](std::uint64_t number, std::string state) {
    log_->put_checkpoint(number, std::move(state));
    wake_();
  });
}

RedisOrder::RedisOrder(std::deque<ClusterEvent> events)
    : stats_(unseen_), events_(std::move(events)) {}

RedisOrder::~RedisOrder() {
  stop();
}

void RedisOrder::await_submitted(Duration patience) {
  if (!log_) return;
  const TimePoint until = steady_now() + patience;
  flush();
  lose(own_left_);
  for (const ClusterEvent& event : events_) lose(own_appends(event));
  while (!under_way_.empty() && steady_now() < until) {
    pollfd watched = {log_->fd(), POLLIN, 0};
    poll(&watched, 1, kLookMilliseconds);
    log_->take(taken_);
    for (const ClusterEvent& event : taken_) {
      lose(own_appends(event));
      if (std::holds_alternative<LogFailed>(event)) return;
    }
  }
}

void RedisOrder::stop() {
  if (maker_) maker_->stop();
  if (log_) log_->stop();
}

// Letters are kept until it is known under which epoch they are told: the last one.
Result<RedisOrder::Beginning, std::string> RedisOrder::begin(const Beginner& beginner) {
  Beginning beginning;
  bool caught_up = false;
  std::size_t kept = 0;  // bytes
  log_->start();
  while (!caught_up) {
    if (auto why = beginner.give_up()) return *std::move(why);
    pollfd watched = {log_->fd(), POLLIN, 0};
    poll(&watched, 1, kLookMilliseconds);
    log_->take(taken_);
    for (ClusterEvent& event : taken_) {
      const std::size_t waiting = events_.size();
      if (auto* const loaded = std::get_if<StateLoaded>(&event)) {
        stats_.lag.apply(waiting);
        events_.clear();
        kept = 0;
        beginning.epoch = loaded->epoch;
        beginning.state = std::move(loaded->state);
        beginning.made = beginning.newest = loaded->id.ts();
      } else if (const auto* const founded = std::get_if<EpochFounded>(&event)) {
        beginning.epoch = founded->epoch;
        beginning.newest = founded->id.ts();
        if (events_.empty()) beginning.made = beginning.newest;
      } else if (const auto* const wanted = std::get_if<CheckpointWanted>(&event)) {
        if (beginning.state.empty()) beginning.state = beginner.first_state();
        log_->put_checkpoint(wanted->number,
                             events_.empty()
                                 ? beginning.state
                                 : beginner.fold(beginning.state, events_, beginning.newest));
      } else if (auto* const failed = std::get_if<LogFailed>(&event)) {
        return std::move(failed->why);
      } else if (const auto* const changed = std::get_if<OwnIdChanged>(&event)) {
        home_ = changed->relay.value;
      } else if (const auto* const caught = std::get_if<CaughtUp>(&event)) {
        caught_up = true;
        beginning.now = WallTime{std::max(beginning.newest.microseconds, caught->now.microseconds)};
      } else {
        if (const auto* const came = std::get_if<LettersCame>(&event))
          beginning.newest = came->id.ts();
        kept += weight(event);
        events_.push_back(std::move(event));
      }
      if (events_.size() <= waiting) stats_.lag.apply();
      if (kept > kMostKept) {
        kept = 0;
        stats_.lag.apply(events_.size());
        beginning.state =
            beginner.fold(beginning.state, std::exchange(events_, {}), beginning.newest);
        beginning.made = beginning.newest;
      }
    }
  }
  newest_ = beginning.made;
  return beginning;
}

void RedisOrder::submit(const Letter& letter) {
  if (room() == Room::none) return;
  writer_.clear();
  writer_.add(letter);
  const std::size_t bytes = kFrameBytes + writer_.bytes().size();
  if (gathered_count_ > 0 && gathered_.size() + bytes > kGathered) flush();
  add_frame(gathered_, writer_.bytes());
  ++gathered_count_;
  const auto* const commanded = std::get_if<Commanded>(&letter);
  under_way_.push_back({commanded == nullptr ? kNobody : commanded->ticket, bytes, steady_now()});
  bytes_under_way_ += bytes;
  show_under_way();
}

// There is room: there was when the first of them was gathered, and nobody else appends.
void RedisOrder::flush() {
  if (gathered_count_ == 0) return;
  log_->append(gathered_, std::exchange(gathered_count_, 0));
  gathered_.clear();
}

// What is under way here is all that the log has of this relay's, and more: what has come back and
// was not opened.
Order::Room RedisOrder::room() const {
  if (!log_ || ended_) return Room::none;
  if (bytes_under_way_ < kAmpleBytes && under_way_.size() < kAmpleAppends) return Room::all;
  return log_->has_room() ? Room::answered : Room::none;
}

const Order::Ordered* RedisOrder::next() {
  while (!ended_) {
    if (const Ordered* const ordered = next_of_entry()) return ordered;
    if (ended_ || (events_.empty() && !fetch())) return nullptr;
    if (const auto* const gone = std::get_if<RelayGone>(&events_.front())) {
      newest_ = gone->id.ts();
      ordered_ = {{newest_, gone->id.at(), false}, Gone{gone->relay.value}};
      events_.pop_front();
      stats_.lag.apply();
      return &ordered_;
    }
    if (!open_next()) return nullptr;
  }
  return nullptr;
}

bool RedisOrder::fetch() {
  if (maker_ && maker_->let_go()) wake_();  // some in each turn
  if (!log_ || !arrived_.exchange(false)) return false;
  log_->take(taken_);
  for (ClusterEvent& event : taken_) events_.push_back(std::move(event));
  return !events_.empty();
}

// Null: all of the entry was read.
const Order::Ordered* RedisOrder::next_of_entry() {
  while (frame_ || entry_at_ < entry_.data.size()) {
    if (!frame_) {
      const auto bytes = frame_at(entry_.data, entry_at_);
      if (!bytes) break;
      entry_at_ += kFrameBytes + bytes->size();
      own_ = own_left_ > 0;
      if (own_) --own_left_;
      frame_.emplace(*bytes);
    }
    auto letter = frame_->next();
    if (!letter) break;
    if (!letter.value()) {
      frame_.reset();
      continue;
    }
    const Ordered* const ordered = give(*std::move(letter.value()));
    if (ordered != nullptr) return ordered;
  }
  if (frame_ || entry_at_ < entry_.data.size())
    end("entry " + entry_.id.text() + " of the cluster's log holds what this version cannot read",
        false);
  if (std::exchange(entry_open_, false)) stats_.lag.apply();
  return nullptr;
}

// Null: it is void, for all relays.
const Order::Ordered* RedisOrder::give(Letter letter) {
  const Ticket ticket = own_ ? take_ticket() : kNobody;
  if (is_forged(letter)) return nullptr;
  ordered_ = {{entry_.id.ts(), entry_.id.at(), own_}, std::move(letter)};
  auto* const commanded = std::get_if<Commanded>(&ordered_.letter);
  if (commanded == nullptr) return &ordered_;
  const auto decoded = decoder_.decode(commanded->message);
  if (!decoded) return nullptr;
  commanded->command = decoded.value();
  commanded->ticket = ticket;
  return &ordered_;
}

// Said under an id that the relay no longer has: nobody would ever depart from there.
bool RedisOrder::is_forged(const Letter& letter) const {
  const auto* const arrive = std::get_if<Arrive>(&letter);
  return arrive != nullptr && arrive->home != entry_.from.value;
}

Ticket RedisOrder::take_ticket() {
  if (under_way_.empty()) return kNobody;  // of this relay before it began
  const UnderWay back = take_under_way();
  const Duration took = opened_ - back.since;
  using std::chrono::microseconds;
  const auto count = std::chrono::duration_cast<microseconds>(took).count();
  stats_.round_trip.observe(static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0)));
  return back.ticket;
}

// Precondition: there is one.
RedisOrder::UnderWay RedisOrder::take_under_way() {
  const UnderWay back = under_way_.front();
  under_way_.pop_front();
  bytes_under_way_ -= back.bytes;
  show_under_way();
  return back;
}

void RedisOrder::show_under_way() {
  stats_.letters_under_way.set(under_way_.size());
  stats_.bytes_under_way.set(bytes_under_way_);
}

// Whoever waits for them hears that nobody knows.
void RedisOrder::lose(std::uint64_t appends) {
  for (; appends > 0 && !under_way_.empty(); --appends) take_under_way();
}

void RedisOrder::open(LettersCame came) {
  entry_ = std::move(came);
  entry_at_ = 0;
  own_left_ = entry_.own_appends;
  newest_ = entry_.id.ts();
  opened_ = steady_now();
  entry_open_ = true;
}

// What is no letter, or has some. False: nothing can be opened now.
bool RedisOrder::open_next() {
  ClusterEvent& event = events_.front();
  if (const auto* const wanted = std::get_if<CheckpointWanted>(&event)) {
    if (!answer_wanted(*wanted)) return false;
  } else if (auto* const came = std::get_if<LettersCame>(&event)) {
    open(std::move(*came));
  } else if (const auto* const changed = std::get_if<OwnIdChanged>(&event)) {
    home_ = changed->relay.value;
    lose(changed->own_appends);
    if (user_.moved) user_.moved(home_);
  } else if (const auto* const founded = std::get_if<EpochFounded>(&event)) {
    end("a new epoch was founded: " + founded->epoch, true);
  } else if (const auto* const loaded = std::get_if<StateLoaded>(&event)) {
    end("the cluster's state is another one than this relay's, under epoch " + loaded->epoch, true);
  } else if (auto* const failed = std::get_if<LogFailed>(&event)) {
    end(std::move(failed->why), false);
  }
  if (!entry_open_) stats_.lag.apply();
  events_.pop_front();
  return true;
}

bool RedisOrder::answer_wanted(const CheckpointWanted& wanted) {
  if (!maker_ || !user_.state) return true;
  auto work = user_.state(newest_);
  if (!work.make) return false;
  maker_->make(wanted.number, std::move(work));
  return true;
}

void RedisOrder::end(std::string why, bool begins_anew) {
  ending_ = {std::move(why), begins_anew};
  if (begins_anew) stats_.epoch_changes.add();
  ended_ = true;
  if (wake_) wake_();
}

std::optional<RedisOrder::Ending> RedisOrder::has_ended() const {
  return ended_ ? std::optional(ending_) : std::nullopt;
}

}  // namespace syncrelay
