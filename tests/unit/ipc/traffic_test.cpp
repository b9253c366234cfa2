#include "syncrelay/ipc/traffic.h"

#include <doctest/doctest.h>

#include <string>

namespace syncrelay {
namespace {

using std::chrono::seconds;

TEST_CASE("A sample each two seconds says what has happened since the last one") {
  RelayStats relay;
  ShardStats shard;
  relay.events.add(100);  // before anybody looked
  const TimePoint begin{};
  Traffic traffic(relay, {&shard}, begin);
  CHECK(traffic.json() == "[]");
  relay.events.add(3);
  shard.bytes_sent.add(50);
  shard.clients.set(2);
  for (int count = 0; count < 100; ++count) shard.fanout.observe(600);
  traffic.look(begin + seconds(1), {});
  CHECK(traffic.json() == "[]");
  traffic.look(begin + seconds(2), {1'763'838'000'000'000});
  CHECK(traffic.json() ==
        R"([{"ts":1763838000.000000,"clients":2,"events":3,"bytes":50,"delay_p50":0.000750,)"
        R"("delay_p99":0.000995,"commands":0,"refused":0,"slow":0,"stalled":0,"skipped":0,)"
        R"("lag":0,"inbox":0}])");
  traffic.look(begin + seconds(4), {});
  CHECK(traffic.json().find(R"("events":0,"bytes":0,"delay_p50":null,"delay_p99":null)") !=
        std::string::npos);
}

TEST_CASE("The oldest samples go, and time without a look makes one step") {
  RelayStats relay;
  const TimePoint begin{};
  Traffic traffic(relay, {}, begin);
  for (std::size_t step = 1; step <= Traffic::kMax + 5; ++step)
    traffic.look(begin + seconds(2 * step), {static_cast<std::int64_t>(step) * 1'000'000});
  CHECK(traffic.json().starts_with(R"([{"ts":6.000000)"));
  traffic.look(begin + seconds(10'000), {});
  traffic.look(begin + seconds(10'001), {});
  CHECK(traffic.json().ends_with(R"("inbox":0}])"));
}

}  // namespace
}  // namespace syncrelay
