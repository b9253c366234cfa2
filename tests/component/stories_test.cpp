// The relay asks what happened to clients while they come and go on a shard's thread.

#include <doctest/doctest.h>

#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "deadline.h"
#include "shard_thread.h"
#include "support/fake_clock.h"

namespace syncrelay {
namespace {

using testing::ShardThread;
using testing::ThreadedClient;

Shard::Settings shard_settings() {
  using std::chrono::hours;
  return {{},
          {1 << 20, 10'000},
          {hours(1), hours(1), Duration::zero(), hours(1)},
          "e0",
          {ChannelRule({"*"}), 10, 100},
          {},
          7};
}

// What the shard tells of the connection.
Told ask(ShardThread& shard, std::uint64_t number, std::uint64_t connection) {
  shard.letters().post(std::make_shared<const StoryInquiry>(StoryInquiry{number, {}, connection}));
  Told answer;
  REQUIRE(testing::comes_true([&] {
    std::vector<UpLetter> letters;
    shard.outbox().take(letters);
    for (UpLetter& letter : letters) {
      if (auto* told = std::get_if<Told>(&letter)) answer = std::move(*told);
    }
    return answer.inquiry == number;
  }));
  return answer;
}

TEST_CASE("Whoever is asked for while others come and go has a whole story, here and gone") {
  constexpr std::uint64_t kClients = 500;
  const testing::FakeClock clock;
  ShardThread shard(shard_settings(), clock);
  shard.start();
  std::uint64_t number = 0;
  for (std::uint64_t count = 1; count <= kClients; ++count) {
    shard.post_task([&shard] {
      ThreadedClient& client = shard.connect();
      client.session->record(StoryKind::goodbye, 1000, 0, "words");
      if (client.session->id().value % 2 == 0) shard.disconnect(client);
    });
    if (count % 10 != 0) continue;
    for (const Told::Connection& told : ask(shard, ++number, count / 2).stories) {
      const auto records = told.story.records();
      REQUIRE(records.size() == 3);
      CHECK(records[0].kind == StoryKind::connected);
      CHECK(records[0].b == 7);
      CHECK(records[1].kind == StoryKind::followed);
      CHECK(records[2].text == "words");
      CHECK(told.now.has_value() == (told.id.value % 2 == 1));
    }
  }
  shard.run_task([] {});
  CHECK(ask(shard, ++number, kClients).stories.size() == 1);
  CHECK(ask(shard, ++number, kClients + 1).stories.empty());
  shard.stop();
  CHECK(shard.stats().stories.get() == kClients / 2);
}

}  // namespace
}  // namespace syncrelay
