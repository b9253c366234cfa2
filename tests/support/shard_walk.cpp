#include "support/shard_walk.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace syncrelay::testing {
namespace {

constexpr const char* kEpoch = "00c0ffee00c0ffee";
constexpr std::size_t kPostedUpdates =
    1000;  // below the mailbox's own bound, which would block this one thread

Shard::Settings shard_settings(const ShardWalk::Settings& settings) {
  using std::chrono::seconds;
  return {{"comparison", "radio"},
          settings.window,
          {seconds(20), seconds(20), Duration::zero(), seconds(60)},
          kEpoch};
}

}  // namespace

ShardWalk::Client::Client(const History& history) : model(history, kEpoch) {}

ShardWalk::ShardWalk(const Settings& settings, Choices& choices)
    : settings_(settings),
      choices_(choices),
      relay_(relay_settings(settings.window.bytes)),
      history_({{"comparison", "null"}, {"radio", "null"}}),
      shard_(shard_settings(settings), relay_.clock, stats_, outbox_, [] {}) {
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
    case 3:
      return publish();
    case 4:
      return change_state();
    case 5:
    case 6:
    case 7: {
      shard_.run();
      break;
    }
    case 8:
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
  for (std::uint32_t index = 0; index < count; ++index) {
    const std::string data = payload();
    std::string text = R"({"type":"e","data":)" + data + R"(,"ts":)";
    append_timestamp(text, relay_.clock.wall());
    text += R"(,"seq":)" + std::to_string(history_.position() + 1) + '}';
    std::string command = R"({"op":"broadcast","type":"e","data":)" + data;
    if (choices_.one_in(4)) {
      const std::string value = std::to_string(history_.position());
      history_.add_event_with(std::move(text), "radio", value);
      command += R"(,"notify":false,"set":{"radio":)" + value + '}';
    } else {
      history_.add_event(std::move(text));
    }
    send(command + '}');
  }
}

// Without an event; now and then to a value so large that snapshots of it are fragmented.
void ShardWalk::change_state() {
  const std::string value = choices_.one_in(2) ? payload() : std::to_string(choices_.below(1000));
  history_.set("comparison", value);
  send(R"({"op":"set","notify":false,"key":"comparison","value":)" + value + '}');
}

void ShardWalk::send(const std::string& command) {
  if (!relay_.send(command)) fail("the relay refused " + command.substr(0, 100));
  for (const Update& update : relay_.take_updates()) {
    if (posted_weight_ >= settings_.window.bytes / 4 || posted_count_ == kPostedUpdates) {
      run_until_idle();
    }
    posted_weight_ += weight(update);
    ++posted_count_;
    shard_.letters().post(update);
  }
}

void ShardWalk::run_until_idle() {
  while (shard_.run()) {
  }
  posted_weight_ = 0;
  posted_count_ = 0;
}

void ShardWalk::pass_time() {
  for (std::uint32_t ticks = 1 + choices_.below(16); ticks > 0; --ticks) {
    relay_.clock.advance(std::chrono::milliseconds(250));
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
  if (choices_.one_in(2)) {
    const Seq after{choices_.below(static_cast<std::uint32_t>(events()) + 2)};
    request.subscriptions = {{"", true, AskedPosition{kEpoch, after}}};
  }
  if (choices_.one_in(3)) request.heartbeat = std::chrono::seconds(1 + choices_.below(5));
  clients_.push_back(std::make_unique<Client>(history_));
  Client& client = *clients_.back();
  if (next_id_ > 0 && choices_.one_in(4)) client.transport.take_in_all(choices_.below(400));
  client.session = &shard_.add(ConnectionId{++next_id_}, client.transport, request);
  ++totals_.accepted;
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
  client.model.take(client.transport.take_messages());
  if (!client.transport.between_frames()) fail("left inside a frame");
  const std::string fault = client.transport.fault();
  if (!fault.empty()) fail(fault);
  if (!client.model.fault().empty()) fail(client.model.fault());
  if (!client.transport.was_limited() && client.model.skipped() > 0)
    fail("a client that keeps up skipped events");
}

std::string ShardWalk::finish() {
  for (bool busy = true; busy;) {
    run_until_idle();
    busy = false;
    for (const auto& client : clients_) {
      client->transport.flow();
      busy = busy || client->transport.waits();
      client->transport.become_writable(*client->session);
    }
  }
  shard_.tick();
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

void ShardWalk::check_end(const Client& client) {
  const ClientModel& model = client.model;
  if (model.position() != history_.position()) fail("a client is not at the end");
  if (!client.transport.between_messages()) fail("left inside a message");
  if (model.joined_at() + model.events() + model.skipped() != history_.position())
    fail("the sum is wrong");
  if (client.session->lag() != 0 || !client.session->idle())
    fail("a session is not idle at the end");
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
  totals_.messages += client.model.messages();
  totals_.bytes += client.transport.bytes();
  totals_.skipped += client.model.skipped();
  totals_.resumes += client.model.resumes();
  totals_.snapshots += client.model.snapshots();
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
  if (fault_.empty()) fault_ = why + " (after " + std::to_string(history_.position()) + " events)";
}

}  // namespace syncrelay::testing
