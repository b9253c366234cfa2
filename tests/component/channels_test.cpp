// Steps of several channels pour into shards on threads of their own, while clients subscribe and
// unsubscribe there.

#include <doctest/doctest.h>

#include "shard_thread.h"
#include "support/fake_clock.h"
#include "support/update_source.h"

namespace syncrelay {
namespace {

using testing::ShardThread;
using testing::ThreadedClient;
using Texts = std::vector<std::string>;

constexpr int kSteps = 2'000;
const std::vector<std::string> kChannels = {"", "a", "b", "c"};

Shard::Settings shard_settings() {
  using std::chrono::hours;
  return {{},
          {64 << 20, 100'000},
          {hours(1), hours(1), Duration::zero(), hours(1)},
          "e0",
          {ChannelRule({"*"}), 10, 100}};
}

// Numbers the events of each channel, and remembers them in the order of the log.
class Publisher {
 public:
  Update step(int number) {
    Update step = event(static_cast<std::size_t>(number) % kChannels.size());
    std::vector<Update> also;
    for (int count = number % 4; count > 0; --count)
      also.push_back(event(static_cast<std::size_t>(number + count * count) % kChannels.size()));
    step.also = std::make_shared<const std::vector<Update>>(std::move(also));
    return step;
  }

  const Texts& texts() const { return texts_; }

 private:
  Update event(std::size_t channel) {
    const Seq seq{++last_[channel]};
    const std::string data = '"' + std::string(seq.value % 300, 'x') + '"';
    texts_.push_back(testing::event_text(kChannels[channel], data, {}, seq));
    return source_.event(kChannels[channel], seq, texts_.back());
  }

  testing::UpdateSource source_{64 << 20};
  std::vector<std::uint64_t> last_ = std::vector<std::uint64_t>(kChannels.size());
  Texts texts_;
};

ClientRequest all_channels() {
  ClientRequest request;
  request.subscriptions.clear();
  for (const std::string& channel : kChannels) request.subscriptions.push_back({channel});
  return request;
}

// Subscribes and unsubscribes, on the shard's thread.
void change_mind(ShardThread& shard, ThreadedClient& client, int round) {
  const std::string& channel = kChannels[static_cast<std::size_t>(round) % kChannels.size()];
  if (round % 3 == 0) {
    shard.hear(client, UnsubscribeMessage{channel});
  } else {
    shard.hear(client, SubscribeMessage{channel});
  }
}

TEST_CASE("Who follows several channels gets all their events in the order of the log") {
  const testing::FakeClock clock;
  std::vector<std::unique_ptr<ShardThread>> shards;
  for (int count = 0; count < 2; ++count) {
    shards.push_back(std::make_unique<ShardThread>(shard_settings(), clock));
    ShardThread& shard = *shards.back();
    shard.start();
    shard.run_task([&shard] {
      for (int clients = 0; clients < 20; ++clients) shard.connect(all_channels());
      shard.connect();
    });
  }
  Publisher publisher;
  for (int number = 0; number < kSteps; ++number) {
    const Update step = publisher.step(number);
    for (const auto& shard : shards) {
      shard->letters().post(step);
      if (number % 5 == 0)
        shard->run_task([&] { change_mind(*shard, *shard->clients().back(), number); });
    }
  }
  for (const auto& shard : shards) {
    shard->stop();
    for (std::size_t index = 0; index < 20; ++index) {
      const ThreadedClient& client = *shard->clients()[index];
      Texts texts = testing::texts(client.messages);
      REQUIRE(texts.size() > kChannels.size());
      texts.erase(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(kChannels.size()));
      CHECK(texts == publisher.texts());
      CHECK(client.transport.fault() == "");
    }
    CHECK(shard->clients().back()->transport.fault() == "");
    CHECK(shard->stats().skipped_events.get() == 0);
    CHECK(shard->stats().client_messages[1].get() > 100);
  }
}

}  // namespace
}  // namespace syncrelay
