#include "syncrelay/shard/identities.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/fake_clock.h"

namespace syncrelay {
namespace {

class IdentitiesBench {
 public:
  // What the relay is told, as texts: "channel id info count" and "clean".
  std::vector<std::string> told() {
    std::vector<UpLetter> letters;
    outbox.take(letters);
    std::vector<std::string> texts;
    for (const UpLetter& letter : letters) {
      const auto& attendance = std::get<Attendance>(letter);
      texts.push_back(attendance.channel + ' ' + attendance.id + ' ' +
                      (attendance.info ? *attendance.info : "none") + ' ' +
                      std::to_string(attendance.count) + (attendance.clean ? " clean" : ""));
    }
    return texts;
  }

  ChannelPatterns kept{{"", "room:*"}};
  int woken = 0;
  Outbox outbox{[this] { ++woken; }};
  ShardStats stats;
  testing::FakeClock clock;
  Identities identities{kept, outbox, clock, stats};
};

using Texts = std::vector<std::string>;

TEST_CASE_FIXTURE(IdentitiesBench, "Each change of a count is told, where members are kept") {
  Identity& one = identities.join("dev-1");
  Identity& again = identities.join("dev-1");
  CHECK(&one == &again);
  CHECK(told().empty());
  identities.follow(one, "room:1");
  CHECK(woken == 1);
  CHECK(told() == Texts{"room:1 dev-1 none 1"});
  identities.follow(one, "news");
  identities.follow(one, "@dev-1");
  CHECK(told().empty());
  identities.follow(one, "room:1");
  identities.follow(one, "");
  CHECK(told() == Texts{" dev-1 none 1", "room:1 dev-1 none 2"});
  identities.unfollow(one, "room:1", Farewell::leave);
  CHECK(told() == Texts{"room:1 dev-1 none 1"});
  identities.unfollow(one, "room:1", Farewell::lost);
  identities.unfollow(one, "news", Farewell::lost);
  CHECK(told() == Texts{"room:1 dev-1 none 0"});
}

TEST_CASE_FIXTURE(IdentitiesBench, "Only the last one's goodbye is clean") {
  Identity& one = identities.join("dev-1");
  identities.follow(one, "room:1");
  identities.follow(one, "room:1");
  identities.unfollow(one, "room:1", Farewell::leave);
  CHECK(told() == Texts{"room:1 dev-1 none 1"});
  identities.unfollow(one, "room:1", Farewell::leave);
  CHECK(told() == Texts{"room:1 dev-1 none 0 clean"});
}

TEST_CASE_FIXTURE(IdentitiesBench,
                  "An info is told in every channel with its time, the same one again, too") {
  Identity& one = identities.join("dev-1");
  identities.follow(one, "room:1");
  identities.follow(one, "room:2");
  told();
  identities.set_info(one, R"({"name":"Phone"})");
  CHECK(told() ==
        Texts{R"(room:1 dev-1 {"name":"Phone"} 1)", R"(room:2 dev-1 {"name":"Phone"} 1)"});
  clock.advance(std::chrono::seconds(7));
  const TimePoint said = clock.now();
  identities.set_info(one, R"({"name":"Phone"})");
  clock.advance(std::chrono::seconds(1));
  identities.unfollow(one, "room:2", Farewell::lost);
  std::vector<UpLetter> letters;
  outbox.take(letters);
  REQUIRE(letters.size() == 2);
  for (const UpLetter& letter : letters) CHECK(std::get<Attendance>(letter).said == said);
}

TEST_CASE_FIXTURE(IdentitiesBench, "When a count became what it is, is told with it") {
  Identity& one = identities.join("dev-1");
  identities.follow(one, "room:1");
  clock.advance(std::chrono::seconds(3));
  identities.unfollow(one, "room:1", Farewell::leave);
  const TimePoint left = clock.now();
  clock.advance(std::chrono::seconds(1));
  std::vector<UpLetter> letters;
  outbox.take(letters);
  REQUIRE(letters.size() == 1);
  CHECK(std::get<Attendance>(letters.front()).at == left);
}

TEST_CASE_FIXTURE(IdentitiesBench, "What is unread is replaced, one letter for each matter") {
  Identity& one = identities.join("dev-1");
  for (int turn = 0; turn < 1000; ++turn) {
    identities.follow(one, "room:1");
    identities.unfollow(one, "room:1", Farewell::leave);
  }
  CHECK(woken == 1);
  CHECK(told() == Texts{"room:1 dev-1 none 0 clean"});
}

TEST_CASE_FIXTURE(IdentitiesBench, "An identity is forgotten with its last connection") {
  Identity& one = identities.join("dev-1");
  identities.set_info(one, "{}");
  identities.join("dev-1");
  identities.join("dev-2");
  CHECK(stats.identities.get() == 2);
  identities.leave(one);
  CHECK(stats.identities.get() == 2);
  identities.leave(one);
  CHECK(stats.identities.get() == 1);
  CHECK(identities.join("dev-1").info == nullptr);
}

}  // namespace
}  // namespace syncrelay
