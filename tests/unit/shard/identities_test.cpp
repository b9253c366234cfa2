#include "syncrelay/shard/identities.h"

#include <doctest/doctest.h>

#include <vector>

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
  Identities identities{kept, outbox, stats};
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

TEST_CASE_FIXTURE(IdentitiesBench, "A new info is told in every channel, the same one is not") {
  Identity& one = identities.join("dev-1");
  identities.follow(one, "room:1");
  identities.follow(one, "room:2");
  told();
  identities.set_info(one, R"({"name":"Phone"})");
  CHECK(told() ==
        Texts{R"(room:1 dev-1 {"name":"Phone"} 1)", R"(room:2 dev-1 {"name":"Phone"} 1)"});
  identities.set_info(one, R"({"name":"Phone"})");
  CHECK(told().empty());
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
