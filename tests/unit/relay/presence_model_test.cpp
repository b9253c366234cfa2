// Comings and goings at random, and what the plainest model says that clients are told of them.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iomanip>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "presence_fixture.h"
#include "support/choices.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeClock;
using testing::SeededChoices;
using testing::TestPresence;

constexpr const char* kRoom = "room";

std::string timestamp(const FakeClock& clock) {
  const std::int64_t microseconds = clock.wall().microseconds;
  std::ostringstream text;
  text << microseconds / 1'000'000 << '.' << std::setfill('0') << std::setw(6)
       << microseconds % 1'000'000;
  return text.str();
}

// What clients are told, by the rules and nothing else: knows no queue, no letter and no store.
class Model {
 public:
  // `lists`: the default channel's members are told as a list, too.
  explicit Model(bool lists) : lists_(lists) {}

  void attend(std::size_t shard, const std::string& channel, const std::string& id,
              std::uint32_t count, bool clean, const char* info, const FakeClock& clock) {
    Person& person = people_[channel][id];
    person.counts.at(shard) = count;
    if (info != nullptr) person.word = info;
    if (person.there() || person.member) greet(channel, id, person, clock);
    if (person.there()) return;
    if (person.member)
      let_go(person, clock.now() + (clean ? seconds(5) : seconds(30)));
    else
      people_[channel].erase(id);
  }

  void pass(const FakeClock& clock) {
    std::vector<std::tuple<TimePoint, int, std::string, std::string>> over;
    for (const auto& [channel, people] : people_) {
      for (const auto& [id, person] : people) {
        if (!person.there() && person.leaves <= clock.now())
          over.emplace_back(person.leaves, person.turn, channel, id);
      }
    }
    std::sort(over.begin(), over.end());
    for (const auto& [leaves, turn, channel, id] : over) leave(channel, id, clock);
  }

  // False: it must be refused.
  bool set_will(const std::string& channel, const std::string& id, std::optional<int> will) {
    const auto found = people_[channel].find(id);
    if (found == people_[channel].end() || !found->second.member) return false;
    found->second.will = will;
    return true;
  }

  void drop(const std::string& channel) {
    people_[channel].clear();
    ++last_[channel];
  }

  void restart(const FakeClock& clock) {
    for (auto& [channel, people] : people_) {
      std::erase_if(people, [](const auto& each) { return !each.second.member; });
      for (auto& [id, person] : people) {
        person.counts = {};
        person.word.reset();
        let_go(person, clock.now() + seconds(30));
      }
    }
  }

  std::vector<std::string> take_story() { return std::exchange(story_, {}); }

  // Channel, id and what snapshots show, of each member.
  std::string members() const {
    std::string text;
    for (const auto& [channel, people] : people_) {
      for (const auto& [id, person] : people) {
        if (person.member) text += channel + ' ' + id + ' ' + shown(*person.member) + '\n';
      }
    }
    return text;
  }

  std::optional<TimePoint> next() const {
    std::optional<TimePoint> first;
    for (const auto& [channel, people] : people_) {
      for (const auto& [id, person] : people) {
        if (!person.there()) first = std::min(first.value_or(person.leaves), person.leaves);
      }
    }
    return first;
  }

 private:
  struct Member {
    std::string info;
    std::string since;
  };
  struct Person {
    std::array<std::uint32_t, 2> counts{};
    std::optional<std::string> word;  // what a connection said last
    std::optional<Member> member;
    std::optional<int> will;  // odd: it will be refused
    TimePoint leaves{};       // when nobody is there
    int turn = 0;             // of those that leave at the same time

    bool there() const { return std::accumulate(counts.begin(), counts.end(), 0U) > 0; }
  };

  static std::string shown(const Member& member) {
    return R"({"info":)" + member.info + R"(,"since":)" + member.since + '}';
  }
  static std::string told(const std::string& id, const Member& member) {
    return R"({"id":")" + id + R"(",)" + shown(member).substr(1);
  }

  void greet(const std::string& channel, const std::string& id, Person& person,
             const FakeClock& clock) {
    if (!person.member) {
      person.member = {person.word.value_or("{}"), timestamp(clock)};
      tell_change(channel, "sync:joined", told(id, *person.member), clock);
    } else if (person.word && *person.word != person.member->info) {
      person.member->info = *person.word;
      tell_change(channel, "sync:changed", told(id, *person.member), clock);
    }
  }

  void let_go(Person& person, TimePoint at) {
    person.leaves = at;
    person.turn = ++turns_;
  }

  void leave(const std::string& channel, const std::string& id, const FakeClock& clock) {
    const std::optional<int> will = people_[channel].at(id).will;
    people_[channel].erase(id);
    tell_change(channel, "sync:left", R"({"id":")" + id + "\"}", clock);
    if (will && *will % 2 == 0)
      tell(channel, "sync:set", R"({"will:)" + id + "\":" + std::to_string(*will) + '}', clock);
  }

  void tell_change(const std::string& channel, const std::string& type, const std::string& data,
                   const FakeClock& clock) {
    tell(channel, type, data, clock);
    if (!channel.empty() || !lists_) return;
    tell("", "devices:updated", list() + R"(,"set":{"devices":)" + list() + '}', clock);
  }

  // `more`: the event's data and what follows it.
  void tell(const std::string& channel, const std::string& type, const std::string& more,
            const FakeClock& clock) {
    std::string text = R"({"type":")" + type + '"';
    if (!channel.empty()) text += R"(,"channel":")" + channel + '"';
    text += R"(,"data":)" + more + R"(,"ts":)" + timestamp(clock);
    story_.push_back(text + R"(,"seq":)" + std::to_string(++last_[channel]) + '}');
  }

  std::string list() const {
    std::map<std::pair<std::string, std::string>, std::string> ordered;
    for (const auto& [id, person] : people_.at("")) {
      if (!person.member) continue;
      const std::string inner = person.member->info.substr(1, person.member->info.size() - 2);
      ordered[{person.member->since, id}] = R"({"id":")" + id + '"' + (inner.empty() ? "" : ",") +
                                            inner + R"(,"connected_at":)" + person.member->since +
                                            '}';
    }
    std::string text;
    for (const auto& [order, each] : ordered) text += (text.empty() ? "" : ",") + each;
    return '[' + text + ']';
  }

  const bool lists_;
  std::map<std::string, std::map<std::string, Person>> people_;  // by channel, by id
  std::map<std::string, int> last_;                              // seq by channel
  std::vector<std::string> story_;
  int turns_ = 0;
};

// A relay and the model, to which the same happens.
class Walk {
 public:
  explicit Walk(std::uint32_t seed)
      : lists_(seed % 2 == 1), choices_(seed), model_(lists_), test_(make()) {}

  void step() {
    if (choices_.one_in(60))
      restart();
    else if (choices_.one_in(50))
      drop();
    else if (choices_.one_in(3))
      pass();
    else if (choices_.one_in(4))
      set_will();
    else
      attend();
  }

  void check() {
    REQUIRE(test_->take_story() == model_.take_story());
    REQUIRE(members() == model_.members());
    REQUIRE(test_->relay.next_coming_or_going() == model_.next());
  }

 private:
  std::unique_ptr<TestPresence> make() const {
    Relay::Settings settings = testing::presence_settings();
    if (lists_) {
      settings.channels.members_key = "devices";
      settings.channels.members_event = "devices:updated";
    }
    return std::make_unique<TestPresence>(settings);
  }

  // Nobody is in both.
  std::pair<std::string, std::string> somebody() {
    const bool in_room = choices_.one_in(2);
    return {in_room ? kRoom : "", (in_room ? "b" : "a") + std::to_string(choices_.below(4))};
  }

  void attend() {
    const auto [channel, id] = somebody();
    const std::size_t shard = choices_.below(2);
    const std::uint32_t count = choices_.below(3);
    const bool clean = choices_.one_in(2);
    const char* const info = std::array<const char*, 4>{nullptr, "{}", R"({"n":1})",
                                                        R"({"n":2,"m":"x"})"}[choices_.below(4)];
    test_->attend(shard, channel, id, count, clean, info);
    model_.attend(shard, channel, id, count, clean, info, test_->clock);
  }

  void pass() {
    test_->pass(milliseconds(choices_.below(20'000)));
    model_.pass(test_->clock);
  }

  void set_will() {
    const auto [channel, id] = somebody();
    std::optional<int> will;
    if (!choices_.one_in(6)) will = ++wills_;
    const std::string where = channel.empty() ? "" : R"("channel":")" + channel + "\",";
    std::string commands;
    if (will) {
      commands = R"({"op":"set",)" + where + R"("key":"will:)" + id + R"(","value":)" +
                 std::to_string(*will) + '}';
      if (*will % 2 == 1)
        commands += R"(,{"op":"set",)" + where + R"("key":"k","value":1,"if":{"k":9}})";
    }
    const bool taken = test_->send(R"({"op":"will",)" + where + R"("id":")" + id +
                                   R"(","commands":[)" + commands + "]}");
    REQUIRE(taken == model_.set_will(channel, id, will));
  }

  void drop() {
    const bool is_there = test_->relay.channels().find(kRoom) != nullptr;
    REQUIRE(test_->send(R"({"op":"drop","channel":"room"})"));
    if (is_there) model_.drop(kRoom);
  }

  void restart() {
    std::unique_ptr<TestPresence> next = make();
    next->clock = test_->clock;
    next->store = test_->store;
    next->relay.restore(test_->store.history());
    test_ = std::move(next);
    model_.restart(test_->clock);
  }

  std::string members() const {
    std::string text;
    for (const char* const channel : {"", kRoom}) {
      const Channel* const found = test_->relay.channels().find(channel);
      if (found == nullptr) continue;
      found->members.get().for_each([&](const State::Entry& entry) {
        text += channel + (' ' + entry.key) + ' ' + *entry.value + '\n';
      });
    }
    return text;
  }

  const bool lists_;
  SeededChoices choices_;
  Model model_;
  std::unique_ptr<TestPresence> test_;
  int wills_ = 0;
};

TEST_CASE(
    "Clients are told what the plainest model says, over tabs, graces, wills, drops and restarts") {
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    Walk walk(seed);
    for (int step = 0; step < 400; ++step) {
      CAPTURE(step);
      walk.step();
      walk.check();
    }
  }
}

}  // namespace
}  // namespace syncrelay
