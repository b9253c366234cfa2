#include "relay_process.h"

#include <chrono>
#include <cstdlib>
#include <utility>

namespace syncrelay::testing {
namespace {

Shard::Settings shard_settings(EventLog::Bounds window) {
  using std::chrono::hours;
  return {
      {"comparison", "radio"}, window, {hours(1), hours(1), Duration::zero(), hours(1)}, kEpoch};
}

}  // namespace

RelayProcess::RelayProcess(const Settings& settings, ShardThread::Behaviour behave)
    : history_({{"comparison", "null"}, {"radio", "null"}}) {
  std::vector<Mailbox<Letter>*> mailboxes;
  for (std::size_t index = 0; index < settings.shards; ++index) {
    shards_.push_back(
        std::make_unique<ShardThread>(shard_settings(settings.window), clock_, behave));
    mailboxes.push_back(&shards_.back()->letters());
  }
  const Relay::Settings relay_settings{
      {{"comparison", "radio"}, 1 << 24, 100}, settings.window, {1000, std::chrono::minutes(10)}};
  relay_ = std::make_unique<Relay>(relay_settings, clock_, mailboxes, stats, nullptr);
  intake_ =
      std::make_unique<Intake>(Intake::Settings{1 << 24}, *relay_, order_, stats, clock_, log_);
}

RelayProcess::~RelayProcess() {
  for (const auto& shard : shards_) shard->letters().close();
  if (publisher_.joinable()) publisher_.join();
}

void RelayProcess::start_shards() {
  for (const auto& shard : shards_) shard->start();
}

void RelayProcess::start_publishing(std::uint64_t count, std::vector<std::size_t> sizes) {
  publisher_ = std::thread([this, count, sizes = std::move(sizes)] { publish_all(count, sizes); });
}

void RelayProcess::wait_for_published(std::uint64_t count) const {
  for (std::uint64_t now = published_; now < count; now = published_) published_.wait(now);
}

void RelayProcess::wait_for_publisher() {
  if (publisher_.joinable()) publisher_.join();
}

void RelayProcess::stop() {
  wait_for_publisher();
  for (const auto& shard : shards_) shard->stop();
}

void RelayProcess::publish_all(std::uint64_t count, const std::vector<std::size_t>& sizes) {
  for (std::uint64_t number = 0; number < count; ++number) {
    send_event(number, sizes[number % sizes.size()]);
    if (!intake_->batch_full() && number % 7 != 0 && number + 1 < count) continue;
    intake_->publish();
    published_ = number + 1;
    published_.notify_all();
  }
}

void RelayProcess::send_event(std::uint64_t number, std::size_t size) {
  const std::string data = '"' + std::string(size, static_cast<char>('a' + number % 26)) + '"';
  const std::string value = std::to_string(number);
  std::string text = R"({"type":"e","data":)" + data + R"(,"ts":)";
  append_timestamp(text, clock_.wall());
  text += R"(,"seq":)" + std::to_string(number + 1) + '}';
  std::string command = R"({"op":"broadcast","type":"e","data":)" + data;
  if (number % 4 == 0) {
    history_.add_event_with(std::move(text), "radio", value);
    command += R"(,"notify":false,"set":{"radio":)" + value + '}';
  } else {
    history_.add_event(std::move(text));
  }
  command += '}';
  const std::uint64_t before = intake_->unanswered();
  intake_->take(command, kNobody);
  if (intake_->unanswered() == before) std::abort();
}

ClientModel RelayProcess::view_of(const ThreadedClient& client) const {
  ClientModel model(history_, kEpoch);
  model.take(client.messages);
  return model;
}

std::string RelayProcess::fault_of(const ThreadedClient& client) const {
  const ClientModel model = view_of(client);
  if (!client.transport.fault().empty()) return client.transport.fault();
  if (!model.fault().empty()) return model.fault();
  if (client.session != nullptr && model.position() != history_.position()) return "not at the end";
  return {};
}

}  // namespace syncrelay::testing
