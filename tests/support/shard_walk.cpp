#include "support/shard_walk.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "syncrelay/shard/early_followers.h"

namespace syncrelay::testing {
namespace {

constexpr const char* kEpoch = "00c0ffee00c0ffee";
constexpr std::size_t kPostedUpdates =
    1000;  // below the mailbox's own bound, which would block this one thread

constexpr std::uint32_t kMaxSubscriptions = 4;

Shard::Settings shard_settings(const ShardWalk::Settings& settings) {
  using std::chrono::seconds;
  return {{"comparison", "radio"},
          settings.window,
          {seconds(20), seconds(20), Duration::zero(), seconds(60)},
          kEpoch,
          {ChannelRule({"c*"}), kMaxSubscriptions, 1'000}};
}

// What stands between two texts.
std::string between(std::string_view text, std::string_view before, std::string_view behind) {
  const std::size_t at = text.find(before);
  if (at == text.npos) return {};
  const std::size_t begin = at + before.size();
  return std::string(text.substr(begin, text.find(behind, begin) - begin));
}

std::uint64_t number_behind(std::string_view text, std::string_view name) {
  const std::string digits = between(text, name, "}");
  return digits.empty() ? 0 : std::strtoull(digits.c_str(), nullptr, 10);
}

bool begins_with(std::string_view text, std::string_view beginning) {
  return text.substr(0, beginning.size()) == beginning;
}

}  // namespace

ShardWalk::ShardWalk(const Settings& settings, Choices& choices)
    : settings_(settings),
      choices_(choices),
      source_(settings.window.bytes),
      shard_(shard_settings(settings), clock_, stats_, outbox_, [this] { woken_ = true; }) {
  channels_.resize(1 + settings.channels);
  channels_[0].lives.emplace_back(History::State{{"comparison", "null"}, {"radio", "null"}});
  for (std::size_t index = 1; index < channels_.size(); ++index) {
    channels_[index].name = "c" + std::to_string(index);
    channels_[index].lives.emplace_back(History::State{});
  }
  add_client();
}

ShardWalk::~ShardWalk() {
  while (!clients_.empty()) remove(clients_.size() - 1);
}

void ShardWalk::step() {
  if (clients_.empty()) return add_client();
  switch (choices_.below(16)) {
    case 0:
    case 1:
    case 2:
      return publish();
    case 3:
      return settings_.channels > 0 && choices_.one_in(3) ? publish_batch() : publish();
    case 4:
      if (settings_.channels > 0 && choices_.one_in(3))
        return choices_.one_in(2) ? drop_channel() : forget_channel();
      return change_state();
    case 5:
    case 6:
    case 7: {
      if (choices_.one_in(2)) interrupt();
      shard_.run();
      break;
    }
    case 8:
      return settings_.channels > 0 ? subscribe() : disturb_client();
    case 9:
      return disturb_client();
    case 10:
    case 11:
    case 12:
      return wake_client();
    case 13:
      return add_client();
    case 14:
      return choices_.one_in(3) ? remove_client() : run_until_idle();
    default:
      return pass_time();
  }
}

// A burst of events; some change the state in the same step.
void ShardWalk::publish() {
  const std::uint32_t count = choices_.one_in(8) ? choices_.below(100) : 1 + choices_.below(3);
  const bool spread = choices_.one_in(2);
  Channel* channel = &any_channel();
  for (std::uint32_t index = 0; index < count; ++index) {
    send(event_in(*channel));
    if (spread) channel = &any_channel();
  }
}

Update ShardWalk::event_in(Channel& channel) {
  Life& life = channel.lives.back();
  History& history = life.history;
  const Seq seq{history.position() + 1};
  const std::string data = '[' + std::to_string(++events_) + ',' + payload() + ']';
  std::string text = event_text(channel.name, data, clock_.wall(), seq);
  Update update = source_.event(channel.name, seq, text, clock_.now());
  if (choices_.one_in(4)) {
    const std::string value = std::to_string(history.position());
    history.add_event_with(std::move(text), "radio", value);
    update.changes = source_.change(channel.name, seq, "radio", value.c_str()).changes;
  } else {
    history.add_event(std::move(text));
  }
  channel.known = true;
  bytes_ += update.size;
  life.last_event = events_;
  life.last_byte = bytes_;
  return update;
}

// One step of several events, with the end of a channel perhaps.
void ShardWalk::publish_batch() {
  Update step = event_in(any_channel());
  std::vector<Update> also;
  for (std::uint32_t count = 1 + choices_.below(6); count > 0; --count) {
    Channel& channel = any_channel();
    if (channel.name.empty() || !choices_.one_in(5)) {
      also.push_back(event_in(channel));
    } else {
      const std::uint64_t last = channel.lives.back().history.position();
      also.push_back(source_.end(channel.name, Seq{last}, ChannelEnd::dropped));
      channel.lives.emplace_back(History::State{}, last + 1);
    }
  }
  step.also = std::make_shared<const std::vector<Update>>(std::move(also));
  send(step);
}

// Without an event; now and then to a value so large that snapshots of it are fragmented.
void ShardWalk::change_state() {
  Channel& channel = any_channel();
  History& history = channel.lives.back().history;
  const Seq last{history.position()};
  channel.known = true;
  if (!channel.name.empty() && choices_.one_in(3)) {
    for (const char* key : {"comparison", "radio"}) {
      history.erase(key);
      send(source_.change(channel.name, last, key, nullptr));
    }
    return;
  }
  const std::string value = choices_.one_in(2) ? payload() : std::to_string(choices_.below(1000));
  history.set("comparison", value);
  send(source_.change(channel.name, last, "comparison", value.c_str()));
}

void ShardWalk::drop_channel() {
  Channel& channel = any_channel();
  if (channel.name.empty()) return;
  const std::uint64_t last = channel.lives.back().history.position();
  send(source_.end(channel.name, Seq{last}, ChannelEnd::dropped));
  channel.lives.emplace_back(History::State{}, last + 1);
}

// While a client is next written to more comes in: the shard takes it in during its pass.
void ShardWalk::interrupt() {
  any_client().transport.at_next_write([this] {
    for (std::uint32_t count = 1 + choices_.below(4); count > 0; --count) {
      // Not before a step that has its numbers already, and not so much that the mailbox would
      // block this one thread.
      if (sending_ || posted_weight_ >= settings_.window.bytes / 4 ||
          posted_count_ + 1 >= kPostedUpdates) {
        return;
      }
      choices_.one_in(8) ? drop_channel() : send(event_in(any_channel()));
    }
  });
}

// As the relay does when there is nothing left of it that it knows of; there may be followers.
void ShardWalk::forget_channel() {
  Channel& channel = any_channel();
  const Life& life = channel.lives.back();
  const bool in_window = life.history.position() > life.history.start() &&
                         events_ - life.last_event < settings_.window.events &&
                         bytes_ - life.last_byte < settings_.window.bytes;
  if (channel.name.empty() || !channel.known || life.history.has_state() || in_window) return;
  channel.known = false;
  send(source_.end(channel.name, Seq{life.history.position()}, ChannelEnd::forgotten));
}

void ShardWalk::send(const Update& step) {
  if (posted_weight_ >= settings_.window.bytes / 4 || posted_count_ == kPostedUpdates) {
    sending_ = true;
    run_until_idle();
    sending_ = false;
  }
  posted_weight_ += weight(step);
  ++posted_count_;
  shard_.letters().post(step);
}

void ShardWalk::run_until_idle() {
  do {
    woken_ = false;
    while (shard_.run()) {
    }
  } while (woken_);
  posted_weight_ = 0;
  posted_count_ = 0;
}

void ShardWalk::pass_time() {
  for (std::uint32_t ticks = 1 + choices_.below(16); ticks > 0; --ticks) {
    clock_.advance(std::chrono::milliseconds(250));
    shard_.tick();
  }
  for (const auto& client : clients_) {
    const bool silent = client->transport.was_limited() && choices_.one_in(2);
    if (!silent) client->session->received();
  }
  remove_closed();
}

void ShardWalk::add_client() {
  if (clients_.size() == settings_.max_clients) return;
  ClientRequest request;
  request.subscriptions.clear();
  for (const Channel& channel : channels_) {
    if (channel.name.empty() ? settings_.channels == 0 || !choices_.one_in(4) : choices_.one_in(3))
      request.subscriptions.push_back(wish_for(channel));
  }
  if (choices_.one_in(3)) request.heartbeat = std::chrono::seconds(1 + choices_.below(5));
  clients_.push_back(std::make_unique<Client>());
  Client& client = *clients_.back();
  if (next_id_ > 0 && choices_.one_in(4)) client.transport.take_in_all(choices_.below(400));
  request.deflates = choices_.one_in(3);
  if (request.deflates) client.transport.inflate();
  client.session = &shard_.add(ConnectionId{++next_id_}, client.transport, request);
  ++totals_.accepted;
}

SubscribeMessage ShardWalk::wish_for(const Channel& channel) {
  if (choices_.one_in(2)) return {channel.name, false, {}};
  const std::uint64_t most = channel.lives.back().history.position() + 2;
  return {channel.name, true,
          AskedPosition{kEpoch, Seq{choices_.below(static_cast<std::uint32_t>(most))}}};
}

void ShardWalk::subscribe() {
  Client& client = any_client();
  for (std::uint32_t count = 1 + choices_.below(3); count > 0; --count) {
    const Channel& channel = any_channel();
    if (choices_.one_in(3)) {
      shard_.hear(*client.session, UnsubscribeMessage{channel.name});
    } else {
      shard_.hear(*client.session, wish_for(channel));
    }
  }
  client.session->answer();
}

void ShardWalk::remove_client() {
  if (clients_.size() > 1) {
    remove(choices_.below(static_cast<std::uint32_t>(clients_.size())));
  }
}

// The first client of all is left alone: it keeps up and must never miss anything.
void ShardWalk::disturb_client() {
  Client& client = any_client();
  if (client.session->id() == ConnectionId{1}) return;
  switch (choices_.below(5)) {
    case 0:
      return client.transport.stall();
    case 1:
      return client.transport.take_at_most(1 + choices_.below(20));
    case 2:
      return client.transport.take_in_all(choices_.below(200'000));
    case 3:
      return client.transport.refuse_next_write();
    default:
      return client.transport.flow();
  }
}

void ShardWalk::wake_client() {
  Client& client = any_client();
  if (client.session->closing()) return;
  if (client.transport.waits() && choices_.one_in(2)) {
    client.transport.take_in_all(choices_.below(100'000));
  }
  client.transport.become_writable(*client.session);
  check(client);
}

void ShardWalk::check(Client& client) {
  for (const WireMessage& message : client.transport.take_messages()) take(client, message);
  if (!client.transport.between_frames()) fail("left inside a frame");
  const std::string fault = client.transport.fault();
  if (!fault.empty()) fail(fault);
  std::uint64_t skipped = client.totals.skipped;
  for (const auto& [name, model] : client.models) skipped += model.skipped();
  if (!client.transport.was_limited() && skipped > 0) fail("a client that keeps up skipped events");
}

void ShardWalk::take(Client& client, const WireMessage& message) {
  const std::string_view text = message.text;
  if (message.opcode != Opcode::text || text == R"({"type":"ping"})") {
    if (message.opcode != Opcode::text && message.opcode != Opcode::ping) fail("a control frame");
    ++client.totals.messages;
    return;
  }
  constexpr std::string_view kType = R"({"type":")";
  const std::string_view behind_type = text.substr(text.find('"', kType.size()));
  constexpr std::string_view kChannel = R"(","channel":")";
  const bool named = begins_with(behind_type, kChannel);
  const std::string name = named ? between(behind_type, kChannel, "\"") : std::string();
  if (begins_with(text, R"({"type":"sync:refused")")) {
    ++client.totals.messages;
  } else if (begins_with(text, R"({"type":"sync:unsubscribed")")) {
    ++client.totals.messages;
    take_unsubscribed(client, text, name);
  } else {
    take_in_channel(client, message, name);
  }
}

// The first message shows by its position which of the channels of this name it is.
void ShardWalk::take_in_channel(Client& client, const WireMessage& message,
                                const std::string& name) {
  const std::string_view text = message.text;
  const bool resumes = begins_with(text, R"({"type":"sync:resume")");
  auto found = client.models.find(name);
  if (found == client.models.end()) {
    const std::uint64_t seq = number_behind(text.substr(text.rfind(R"(,"ts":)")), R"("seq":)");
    const std::deque<Life>& lives = channel(name).lives;
    auto life = lives.rbegin();
    while (life + 1 != lives.rend() && life->history.start() > seq) ++life;
    found = client.models.try_emplace(name, life->history, kEpoch, name).first;
  } else if (resumes) {
    fail("a second beginning");
  }
  found->second.take(message);
  if (!found->second.fault().empty()) fail(name + ": " + found->second.fault());
  if (resumes) client.last_event = 0;
  if (!begins_with(text, R"({"type":"e")")) return;
  const std::uint64_t number = number_behind(text, R"("data":[)");
  if (number <= client.last_event) fail("not in the order of the log");
  client.last_event = number;
}

void ShardWalk::take_unsubscribed(Client& client, std::string_view text, const std::string& name) {
  const auto found = client.models.find(name);
  if (text.find(R"("reason":"dropped")") == text.npos) {
    if (found != client.models.end()) end_model(client, name);
    return;
  }
  ++client.totals.drops;
  if (found == client.models.end()) return;
  found->second.end(number_behind(text, R"("skipped":)"));
  if (!found->second.fault().empty()) fail(name + ": " + found->second.fault());
  end_model(client, name);
}

void ShardWalk::end_model(Client& client, const std::string& name) {
  const ClientModel& model = client.models.at(name);
  client.totals.messages += model.messages();
  client.totals.skipped += model.skipped();
  client.totals.resumes += model.resumes();
  client.totals.snapshots += model.snapshots();
  client.models.erase(name);
}

ShardWalk::Channel& ShardWalk::channel(const std::string& name) {
  for (Channel& channel : channels_) {
    if (channel.name == name) return channel;
  }
  fail("a channel that never was: " + name);
  return channels_[0];
}

std::string ShardWalk::finish() {
  for (const auto& client : clients_) client->transport.at_next_write(nullptr);
  settle();
  for (int tick = 0; tick < EarlyFollowers::kTicks; ++tick) {
    shard_.tick();
    settle();
  }
  remove_closed();
  for (const auto& client : clients_) {
    check(*client);
    check_end(*client);
  }
  if (fault_.empty() && !shard_.drained()) fail("not drained");
  while (!clients_.empty()) remove(clients_.size() - 1);
  check_stats();
  return fault_;
}

// Until everybody has what there is.
void ShardWalk::settle() {
  for (bool busy = true; busy;) {
    run_until_idle();
    busy = false;
    for (const auto& client : clients_) {
      client->transport.flow();
      busy = busy || client->transport.waits();
      client->transport.become_writable(*client->session);
    }
  }
}

void ShardWalk::check_end(const Client& client) {
  if (!client.transport.between_messages()) fail("left inside a message");
  if (client.session->lag() != 0 || !client.session->idle())
    fail("a session is not idle at the end");
  if (client.session->followers().size() != client.models.size())
    fail("a client follows other channels than it was told");
  for (const auto& [name, model] : client.models) {
    const History& history = channel(name).lives.back().history;
    if (model.position() != history.position()) fail("a client is not at the end of " + name);
    if (model.joined_at() + model.events() + model.skipped() != history.position())
      fail("the sum is wrong in " + name);
  }
}

// The counters must tell what really went out.
void ShardWalk::check_stats() {
  std::uint64_t snapshots = 0;
  for (const Counter& by_reason : stats_.snapshots) snapshots += by_reason.get();
  const auto equal = [this](std::uint64_t counted, std::uint64_t real, const std::string& name) {
    if (counted != real)
      fail(name + ": counted " + std::to_string(counted) + ", really " + std::to_string(real));
  };
  equal(stats_.bytes_sent.get(), totals_.bytes, "bytes_sent");
  equal(stats_.accepted.get(), totals_.accepted, "accepted");
  equal(stats_.clients.get(), 0, "clients");
  equal(stats_.subscriptions.get(), 0, "subscriptions");
  equal(stats_.slow_clients.get(), 0, "slow_clients");
  if (totals_.ended > 0) return;  // what a closed one had not got yet is counted
  if (stats_.frames_sent.get() < totals_.messages) fail("frames_sent is too small");
  if (snapshots < totals_.snapshots || stats_.skipped_events.get() < totals_.skipped) {
    fail("snapshots or skipped_events is too small");
  }
}

void ShardWalk::remove_closed() {
  for (std::size_t index = clients_.size(); index-- > 0;) {
    if (!clients_[index]->session->closing()) continue;
    ++totals_.ended;
    if (clients_[index]->session->id() == ConnectionId{1})
      fail("the client that keeps up was closed");
    remove(index);
  }
}

void ShardWalk::remove(std::size_t index) {
  Client& client = *clients_[index];
  check(client);
  while (!client.models.empty()) end_model(client, client.models.begin()->first);
  totals_.messages += client.totals.messages;
  totals_.bytes += client.transport.bytes();
  totals_.skipped += client.totals.skipped;
  totals_.resumes += client.totals.resumes;
  totals_.snapshots += client.totals.snapshots;
  totals_.drops += client.totals.drops;
  if (client.session->bytes_sent() != client.transport.bytes())
    fail("bytes_sent of a session is wrong");
  shard_.remove(*client.session);
  clients_.erase(clients_.begin() + static_cast<std::ptrdiff_t>(index));
}

// A JSON string; mostly short, sometimes around the sizes where frames and windows change.
std::string ShardWalk::payload() {
  static constexpr std::uint32_t kSizes[] = {20, 200, 3'000, 70'000, 300 * 1024};
  std::uint32_t most = kSizes[0];
  for (const std::uint32_t size : kSizes) {
    if (size <= settings_.max_event_bytes && !choices_.one_in(2)) most = size;
  }
  const char letter = static_cast<char>('a' + choices_.below(26));
  return '"' + std::string(choices_.below(most), letter) + '"';
}

void ShardWalk::fail(const std::string& why) {
  if (fault_.empty()) fault_ = why + " (after " + std::to_string(events_) + " events)";
}

}  // namespace syncrelay::testing
