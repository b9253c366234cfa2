// A relay of a cluster: where it begins, and when it has to end.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "premises.h"
#include "syncrelay/app/server.h"
#include "syncrelay/base/redis_url.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/relay/history_codec.h"

namespace syncrelay {
namespace {

// What decides what letters do: the same at all relays that share them.
ClusterOptions shared_options(const Config& config) {
  const auto list = [](const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : std::set<std::string>(texts.begin(), texts.end())) {
      if (!all.empty()) all += ',';
      all += json_string(text);
    }
    return all;
  };
  return {{"state-key", list(config.state_key)},
          {"max-state", std::to_string(config.max_state)},
          {"max-state-keys", std::to_string(config.max_state_keys)},
          {"max-channels", std::to_string(config.max_channels)},
          {"max-members", std::to_string(config.max_members)},
          {"members-key", json_string(config.members_key)},
          {"members-event", json_string(config.members_event)},
          {"dedup-ids", std::to_string(config.dedup_ids)},
          {"dedup-window", std::to_string(config.dedup_window.count()) + "ms"}};
}

// For clients to take what happened before, and what is on its way to the log.
constexpr Duration kWayTime = std::chrono::seconds(1);

// Times of keys are by the order's time in a checkpoint, and by the host's in a relay, which is so
// many microseconds ahead.
void use_own_time(StoredHistory& history, std::int64_t ahead) {
  for (auto& [channel, values] : history.state) {
    for (auto& [key, value] : values) {
      if (value.expiry) value.expiry->at.microseconds += ahead;
    }
  }
}

}  // namespace

// The history in Redis is read to its end before anybody is let in. Without an epoch behind it: it
// was asked to stop.
Result<void, std::string> Server::open_cluster(const std::function<bool()>& asked_to_stop) {
  if (config_.cluster.empty()) return {};
  if (auto opened = premises_.open_door(); !opened) return opened;
  auto url = RedisUrl::parse(config_.cluster);
  if (!url) return "--cluster: " + url.error();
  ClusterLog::Settings settings;
  settings.url = std::move(url).value();
  settings.options = shared_options(config_);
  settings.stats = &premises_.cluster_stats;
  shared_order_ =
      std::make_unique<RedisOrder>(std::move(settings), log_, [this] { premises_.wake.set(); });
  const auto give_up = [&asked_to_stop] {
    return asked_to_stop() ? std::optional<std::string>("asked to stop before the log was read")
                           : std::nullopt;
  };
  auto begun = shared_order_->begin(
      {[this] { return first_state(); },
       [this](const std::string& state, std::deque<ClusterEvent> events, WallTime newest) {
         return fold(state, std::move(events), newest);
       },
       give_up});
  if (begun) return read_beginning(begun.value());
  if (asked_to_stop()) return {};
  return "--cluster: " + begun.error();
}

// Of a cluster that begins: versions do not come a second time, see restore(). One that has lost
// everything goes on with what this relay has known of it.
std::string Server::first_state() const {
  if (premises_.legacy.state) return premises_.legacy.state();
  StoredHistory history;
  history.version = static_cast<std::uint64_t>(clock_.wall().microseconds);
  return history_bytes(history);
}

Result<void, std::string> Server::read_beginning(const RedisOrder::Beginning& beginning) {
  auto history = read_history(beginning.state);
  if (!history) return std::string("--cluster: the checkpoint in Redis is of another version");
  history_ = *std::move(history);
  epoch_ = beginning.epoch;
  began_ = beginning.now;
  use_own_time(history_, clock_.wall().microseconds - began_.microseconds);
  return {};
}

// By a relay without clients. Precondition: the state was made by this version.
std::string Server::fold(const std::string& state, std::deque<ClusterEvent> events,
                         WallTime newest) const {
  RelayStats stats;
  RedisOrder order(std::move(events));
  Relay relay(relay_settings(), clock_, {}, stats, nullptr);
  Intake intake(Intake::Settings{config_.max_command}, relay, order, stats, clock_, log_);
  StoredHistory history = read_history(state).value_or(StoredHistory{});
  use_own_time(history, clock_.wall().microseconds - newest.microseconds);
  relay.restore(history);
  relay.replay_until(newest);
  while (intake.take_ordered()) intake.publish();
  return history_bytes(relay.copy_history(newest)->stored());
}

// The relay's thread copies, and another one encodes.
CheckpointMaker::Work Server::checkpoint_work(const Relay& relay, WallTime now) {
  auto copy = relay.copy_history(now);
  if (!copy) return {};
  auto shared = std::make_shared<HistoryCopy>(*std::move(copy));
  return {[shared] { return history_bytes(shared->stored()); },
          [shared] { return shared->shed(); }};
}

// What lay in the log behind the checkpoint. Nobody has asked for it, so nobody is answered.
// Where it holds what this version cannot read, nothing is served.
Result<void, std::string> Server::catch_up() {
  if (!shared_order_) return {};
  relay_->replay_until(began_);
  while (intake_->take_ordered()) intake_->publish();
  relay_->replay_until(std::nullopt);
  const auto ending = has_ended();
  if (ending && !ending->begins_anew) return "--cluster: " + ending->why;
  return {};
}

std::optional<RedisOrder::Ending> Server::has_ended() const {
  return shared_order_ ? shared_order_->has_ended() : std::nullopt;
}

// The door is open before anybody is closed, since clients come back at once. The relay, with the
// newest state that it has known, stays until the next one has caught up.
void Server::make_way() {
  status_->catching_up = true;
  acceptor_->stop();
  premises_.legacy.sockets = commands_->make_way();
  if (door_) door_->stop();
  if (auto opened = premises_.open_door(); !opened)
    log_.warning("nobody is answered until the relay has caught up", {{"why", opened.error()}});
  const TimePoint deadline = clock_.now() + std::min<Duration>(config_.drain_timeout, kWayTime);
  for (const auto& loop : loops_) loop->begin_drain(deadline, CloseCause::cluster_began_anew);
  shared_order_->await_submitted(kWayTime);
  for (const auto& loop : loops_) loop->join();
  shared_order_->stop();
  premises_.legacy.inbox = relay_->inbox().all(relay_->ran());
  premises_.legacy.state = [relay = relay_, now = shared_order_->newest()] {
    const auto copy = relay->copy_history(now);
    return history_bytes(copy ? copy->stored() : StoredHistory{});
  };
}

}  // namespace syncrelay
