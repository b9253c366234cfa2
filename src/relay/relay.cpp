#include "syncrelay/relay/relay.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <utility>

#include "syncrelay/base/crash_point.h"

namespace syncrelay {
namespace {

// The one whose position the answer has, see Outcome.
std::string_view answering_channel(const Command& command) {
  if (!command.commands.empty()) return answering_channel(command.commands.back());
  if (!command.channels.empty()) return command.channels.front();
  return command.channel_name();
}

}  // namespace

Relay::Relay(const Settings& settings, const Clock& clock, std::vector<Mailbox<Letter>*> shards,
             RelayStats& stats, Store* store)
    : clock_(clock),
      shards_(std::move(shards)),
      stats_(stats),
      store_(store),
      channels_(settings.channels),
      ids_(settings.ids),
      inbox_(settings.inbox, stats),
      notices_(stats),
      idle_(channels_.table(), settings.window, shards_.size()),
      presence_(settings.presence, channels_.table(), shards_.size()),
      batch_(settings.window.bytes, clock),
      running_since_(clock.now()) {
  show_numbers();
}

Result<Accepted, Rejection> Relay::apply(const Command& command, const Moment& moment) {
  if (auto known = repetition(command, moment)) return *std::move(known);
  batch_.begin_step(moment.ts);
  Result<Outcome, Rejection> applied = channels_.apply(command, moment.ts, batch_);
  if (!applied) {
    batch_.take_back_step();
    return applied.error();
  }
  batch_.end_step();
  batch_.count(command);
  if (!command.id.empty()) stage_id(command.id, applied.value().position.seq, time_of(moment));
  return Accepted{std::move(applied).value()};
}

std::optional<Accepted> Relay::repetition(const Command& command, const Moment& moment) {
  if (command.id.empty()) return std::nullopt;
  const auto known = ids_.find(command.id, time_of(moment));
  if (!known) return std::nullopt;
  stats_.duplicates.add();
  Accepted accepted;
  const std::string_view name = answering_channel(command);
  if (!name.empty()) accepted.outcome.channel = std::make_shared<const std::string>(name);
  accepted.outcome.position = channels().position_of(name);
  accepted.outcome.position.seq = known->seq;
  accepted.duplicate = true;
  accepted.stored = !known->staged;
  return accepted;
}

void Relay::apply(const Expire& expire, const Moment& moment) {
  batch_.begin_step(moment.ts);
  if (channels_.apply(expire, moment.ts, batch_)) batch_.count_expired();
  batch_.end_step();
}

void Relay::apply(const Forget& forget, const Moment& moment) {
  batch_.begin_step(moment.ts);
  channels_.apply(forget, batch_);
  batch_.end_step();
}

void Relay::apply(const Arrive& arrive, const Moment& moment) {
  batch_.begin_step(moment.ts);
  const Arrival arrival = channels_.apply(arrive, moment.ts, batch_);
  batch_.end_step();
  presence_.hear(arrive, clock_.now());
  if (arrival == Arrival::joined && moment.own) {
    Notice notice{WorkerEvent::joined, moment.ts};
    notice.id = arrive.id;
    notice.channel = arrive.channel;
    notice.info = arrive.info;
    notices_.stage(std::move(notice));
  }
  if (arrival == Arrival::refused && moment.own && presence_.refuse(arrive, clock_.now()))
    stats_.members_refused.add();
}

Departure Relay::apply(const Depart& depart, const Moment& moment) {
  batch_.begin_step(moment.ts);
  Departure departure = channels_.apply(depart, moment.ts, batch_);
  if (departure.had_will) batch_.count_will(!departure.will_refused);
  batch_.end_step();
  if (departure.left && moment.own) {
    Notice notice{WorkerEvent::left, moment.ts};
    notice.id = depart.id;
    notice.channel = depart.channel;
    notices_.stage(std::move(notice));
  }
  return departure;
}

// Without a store nothing is taken back, and which ids are known hangs on the order alone: relays
// that share one do not make the same batches of it.
void Relay::stage_id(const std::string& id, Seq seq, Duration accepted) {
  ids_.stage(id, seq, accepted);
  batch_.add_id({id, seq, accepted});
  if (store_ == nullptr) ids_.keep_staged();
}

std::vector<Forget> Relay::spare_channels(std::size_t max) {
  constexpr Duration kBetween = std::chrono::seconds(1);
  if (!channels_.full() || clock_.now() < next_spare_) return {};
  next_spare_ = clock_.now() + kBetween;
  return idle_.spare(max);
}

Result<void, Rejection> Relay::publish() {
  Result<void, Rejection> stored = store_staged();
  crash_point("after_commit");
  if (stored) {
    keep();
  } else {
    take_back();
  }
  show_numbers();
  return stored;
}

Result<void, Rejection> Relay::store_staged() {
  if (store_ == nullptr || (batch_.empty() && !inbox_.has_staged())) return {};
  StoreBatch stored;
  stored.first_event = events_ever_ + 1;
  stored.ran = ran();
  batch_.fill(stored);
  add_channels(stored);
  stored.inbox = inbox_.staged();
  add_members(stored);
  Result<void, Rejection> committed = store_->commit(stored);
  batch_.give_back_ids(std::move(stored.ids));
  return committed;
}

// How the channels are behind the batch.
void Relay::add_channels(StoreBatch& stored) const {
  std::set<std::string_view> touched;
  batch_.for_each_part([&](const Update& part, const Batch::Timed*) {
    if (part.channel) touched.insert(*part.channel);
  });
  for (const std::string_view name : touched) {
    if (const Channel* const channel = channels().find(name)) {
      stored.channels.push_back(
          {std::string(name), channel->start, channel->last, channel->generation});
    } else {
      stored.gone.emplace_back(name);
    }
  }
  stored.tombstones = channels().new_tombstones();
  stored.generation = channels().tombstones().generation();
  stored.last = last();
  stored.version = channels().version();
}

// How they are behind the batch.
void Relay::add_members(StoreBatch& stored) const {
  std::set<std::pair<std::string_view, std::string_view>> touched;
  batch_.for_each_member([&](const ChannelName& channel, const std::string& id) {
    touched.emplace(text(channel), id);
  });
  const auto value_of = [](const State& state, std::string_view id) {
    const StateValue* const value = state.find(id);
    return value == nullptr ? nullptr : *value;
  };
  for (const auto& [name, id] : touched) {
    StoredMember member{std::string(name), std::string(id), nullptr, nullptr};
    if (const Channel* const channel = channels().find(name)) {
      member.value = value_of(channel->members.get(), id);
      member.will = value_of(channel->wills.get(), id);
    }
    stored.members.push_back(std::move(member));
  }
}

void Relay::keep() {
  ids_.keep_staged();
  inbox_.keep_staged();
  notices_.keep_staged();
  events_ever_ += batch_.events();
  stats_.events.add(batch_.events());
  for (std::size_t op = 0; op < batch_.commands().size(); ++op)
    stats_.commands[op].add(batch_.commands()[op]);
  stats_.expired_keys.add(batch_.expired());
  channels_.table().for_each_removed([this](const Channel& gone) { idle_.forget(gone); });
  counter(stats_.wills, WillOutcome::applied).add(batch_.wills_applied());
  counter(stats_.wills, WillOutcome::refused).add(batch_.wills_refused());
  channels_.keep();
  batch_.for_each_part([this](const Update& part, const Batch::Timed* timed) {
    if (part.end == ChannelEnd::forgotten) stats_.channels_forgotten.add();
    if (part.end > ChannelEnd::forgotten) stats_.channels_dropped.add();
    idle_.hear(part);
    presence_.hear(part, clock_.now());
    keep_times(part, timed);
  });
  batch_.for_each_unseen([this](const ChannelName& channel, const std::string& id) {
    presence_.hear(text(channel), id, clock_.now());
  });
  for (Mailbox<Letter>* shard : shards_) shard->post(batch_.letters());
  batch_.clear();
}

void Relay::take_back() {
  ids_.take_back_staged();
  inbox_.take_back_staged();
  notices_.take_back_staged();
  channels_.take_back();
  batch_.take_back();
}

Result<void, Rejection> Relay::begin_backup() {
  if (store_ != nullptr) return store_->begin_backup();
  return Rejection{RejectReason::no_storage, 0, "the relay stores nothing: it has no --data"};
}

std::size_t Relay::ask(const Letter& letter) {
  for (Mailbox<Letter>* shard : shards_) shard->post(letter);
  return shards_.size();
}

void Relay::show_numbers() {
  stats_.seq.set(last().value);
  stats_.channels.set(channels().size() + 1);
  stats_.state_keys.set(channels().keys());
  stats_.state_bytes.set(channels().bytes());
  stats_.members.set(channels().members());
  stats_.ids.set(ids_.size());
}

}  // namespace syncrelay
