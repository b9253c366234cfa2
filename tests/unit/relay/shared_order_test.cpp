// Three relays that share an order, with everything at random: what they become is the same.

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/choices.h"
#include "support/shared_order.h"
#include "support/test_relay.h"
#include "syncrelay/channel/homes.h"
#include "syncrelay/channel/replica.h"
#include "syncrelay/relay/intake.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeClock;
using testing::SeededChoices;
using testing::SharedLog;
using testing::SharedOrder;

constexpr std::array<const char*, 3> kChannels = {"", "a", "b"};
constexpr EventLog::Bounds kWindow{4096, 20};

Relay::Settings settings_of(RelayId relay) {
  Relay::Settings settings = testing::relay_settings();
  settings.window = kWindow;
  settings.ids = {20, seconds(60)};
  settings.channels.max_channels = 4;
  settings.channels.max_members = 7;
  settings.channels.max_state_bytes = 600;
  settings.channels.members_key = "devices";
  settings.presence = {seconds(30), seconds(5), relay};
  return settings;
}

std::string text_of(const State& state) {
  std::string text;
  state.for_each([&](const State::Entry& entry) {
    text += ' ' + entry.key + '=' + *entry.value + '#' + std::to_string(entry.version);
  });
  return text;
}

// One of the relays, with one shard's replica.
class Machine {
 public:
  Machine(SharedLog& log, RelayId the_id)
      : id(the_id), order(log, id), relay(settings_of(id), clock, {&mailbox_}, stats, nullptr) {}

  void ask(const std::string& command) {
    open.insert(next_ticket_);
    intake.take(command, next_ticket_++);
  }
  // Applies what it may read, publishes, and lets the replica have it.
  void run() {
    do {
      for (const Reply& reply : intake.publish()) REQUIRE(open.erase(reply.ticket) == 1);
      std::vector<Letter> letters;
      mailbox_.take(letters);
      for (const Letter& letter : letters) take(std::get<Update>(letter));
    } while (intake.take_ordered());
  }

  // All that the letters have made of the channels.
  std::string channels() const {
    const ChannelTable& table = relay.channels();
    std::string text = std::to_string(table.version()) + ' ' + std::to_string(table.bytes()) + ' ' +
                       std::to_string(table.members()) + ' ' + std::to_string(stats.ids.get());
    const auto add = [&](const Channel& channel) {
      text += '\n' + std::string(syncrelay::text(channel.name)) + '@' +
              std::to_string(channel.start.value) + '-' + std::to_string(channel.last.value) + '/' +
              std::to_string(channel.generation);
      for (const Shelf shelf : {Shelf::state, Shelf::members, Shelf::wills})
        text += " |" + text_of(channel.on(shelf));
      channel.members.get().for_each([&](const State::Entry& member) {
        const Homes homes = homes_of(channel, member.key);
        text += ' ' + std::to_string(homes.word.number) + '/' + std::to_string(homes.word.by);
        for (const RelayId home : homes.relays) text += ' ' + std::to_string(home);
      });
    };
    add(table.main());
    for (const auto& [name, channel] : table.by_name()) add(*channel);
    const Tombstones::ByHash ended = table.tombstones().by_hash();
    for (const auto& [hash, last] : std::map(ended.begin(), ended.end()))
      text += "\n+" + std::to_string(hash) + ' ' + std::to_string(last.value);
    return text;
  }
  // Whether the replica shows what the relay has.
  bool is_replicated() {
    for (const char* const name : kChannels) {
      const Channel* const has = relay.channels().find(name);
      ReplicaChannel* const shown = replica.find(name);
      if ((has == nullptr) != (shown == nullptr)) return false;
      if (has == nullptr) continue;
      if (text_of(has->state) != text_of(shown->state) || has->last != shown->last() ||
          text_of(has->members.get()) != text_of(shown->members.get()))
        return false;
    }
    return true;
  }

  const RelayId id;
  FakeClock clock;
  SharedOrder order;
  RelayStats stats;

 private:
  static std::string kind(const Update& part) {
    return std::string(text(part.channel)) + '#' + std::to_string(part.seq.value) + '!' +
           std::to_string(static_cast<int>(part.end)) + ' ';
  }
  void take(const Update& update) {
    replica.apply(update);
    tell(update);
    if (!update.also) return;
    for (const Update& part : *update.also) tell(part);
  }
  void tell(const Update& part) {
    story.push_back(kind(part) + (part.chunk ? testing::wire_of(part) : std::string()));
  }

  Mailbox<Letter> mailbox_{{SIZE_MAX, SIZE_MAX}, [] {}};
  Log log_{{LogLevel::error, LogFormat::text}};
  Ticket next_ticket_ = 1;

 public:
  Relay relay;
  Intake intake{{1 << 20, std::chrono::hours(1)}, relay, order, stats, clock, log_};
  Replica replica{{"comparison", "radio"}, kWindow};
  std::vector<std::string> story;  // each part's channel, seq, end and wire bytes
  std::set<Ticket> open;
};

// Three of them.
class Cluster {
 public:
  Cluster() {
    for (RelayId id = 101; id <= 103; ++id) machines.push_back(std::make_unique<Machine>(log_, id));
  }

  // All is in the log and has been read everywhere, and nobody wants anything more.
  void settle() {
    int rounds = 0;
    for (bool any = true; any; ++rounds) {
      REQUIRE(rounds < 100);
      any = false;
      for (const auto& machine : machines) any = machine->order.append() || any;
      for (const auto& machine : machines) {
        any = machine->order.allow() || any;
        machine->run();
        any = machine->intake.tend() || any;
      }
    }
  }
  void pass(Duration time) {
    log_.now += time;
    for (const auto& machine : machines) machine->clock.advance(time);
  }
  void pass_and_settle(Duration time) {
    pass(time);
    settle();
  }

  // Somebody comes or goes at one of them; what it says of itself may be left out.
  void attend(std::size_t machine, const std::string& channel, const std::string& id,
              std::uint32_t count, const char* info = nullptr) {
    machines[machine]->relay.attend(
        0, {channel, id, info == nullptr ? nullptr : std::make_shared<const std::string>(info),
            count, false});
  }
  // It ends without a word, and another one has noticed.
  void kill(std::size_t machine) {
    const RelayId id = machines[machine]->id;
    machines.erase(machines.begin() + static_cast<std::ptrdiff_t>(machine));
    machines.front()->order.submit(Gone{id});
  }

  // What clients of every machine have been told of the channel "a" since the last call.
  std::string told() {
    std::string told;
    for (const auto& machine : machines) REQUIRE(machine->story == machines.front()->story);
    const std::vector<std::string>& story = machines.front()->story;
    for (; told_ < story.size(); ++told_) {
      const std::string& part = story[told_];
      const std::size_t type = part.find(R"("type":")") + 8;
      if (!part.starts_with("a#") || type < 8) continue;
      told += part.substr(type, part.find('"', type) - type) + ' ';
    }
    return told;
  }

  std::vector<std::unique_ptr<Machine>> machines;

 protected:
  SharedLog log_;

 private:
  std::size_t told_ = 0;
};

class Walk : public Cluster {
 public:
  explicit Walk(std::uint32_t seed) : choices_(seed) {}

  void step() {
    Machine& machine = any();
    switch (choices_.below(10)) {
      case 0:
        return pass(milliseconds(choices_.below(8'000)));
      case 1:
      case 2:
        return attend_somewhere(choices_.below(size()));
      case 3:
        return machine.relay.hear(0, {channel(), choices_.below(2)});
      case 4:
      case 5:
      case 6:
        return machine.ask(command());
      case 7:
        machine.order.append();
        return;
      default:
        machine.order.allow(choices_.below(4));
        machine.run();
        machine.intake.tend();
    }
  }

  void check() {
    for (const auto& machine : machines) {
      REQUIRE(machine->channels() == machines.front()->channels());
      REQUIRE(machine->story == machines.front()->story);
      REQUIRE(machine->is_replicated());
      REQUIRE(machine->open.empty());
    }
    check_members();
  }

  // One is taken for dead by another, and lives.
  void doubt() {
    const std::size_t victim = choices_.below(size());
    machines[(victim + 1) % size()]->order.submit(Gone{machines[victim]->id});
  }
  // One dies; what it had submitted may be in the log.
  void kill_one() {
    const std::size_t victim = choices_.below(size());
    if (choices_.one_in(2)) machines[victim]->order.append();
    kill(victim);
    there_.erase(there_.begin() + static_cast<std::ptrdiff_t>(victim));
  }

  // Who is there follows what may have been dropped, too.
  void follow_again() {
    for (std::size_t machine = 0; machine < machines.size(); ++machine) {
      for (const auto& [where, id] : there_[machine]) attend(machine, where, id, 1);
    }
  }

  // Whoever is there at some relay is a member, whatever was taken for dead, and nobody else.
  void check_who_is_there() {
    std::set<std::pair<std::string, std::string>> there;
    for (const auto& attended : there_) there.insert(attended.begin(), attended.end());
    std::set<std::pair<std::string, std::string>> members;
    for (const char* const name : kChannels) {
      const Channel* const channel = machines.front()->relay.channels().find(name);
      if (channel == nullptr) continue;
      channel->members.get().for_each(
          [&](const State::Entry& entry) { members.emplace(name, entry.key); });
    }
    for (const auto& member : members) CHECK(there.contains(member));
    if (there.size() < 7) CHECK(members == there);
  }

 private:
  std::uint32_t size() const { return static_cast<std::uint32_t>(machines.size()); }
  Machine& any() { return *machines[choices_.below(size())]; }
  std::string channel() { return kChannels[choices_.below(kChannels.size())]; }
  std::string key() { return std::string("k") + static_cast<char>('0' + choices_.below(4)); }
  std::string number() { return std::to_string(choices_.below(100)); }

  void attend_somewhere(std::size_t machine) {
    const std::string where = channel();
    const std::string id = std::string("d") + static_cast<char>('0' + choices_.below(3));
    const std::uint32_t count = choices_.below(2);
    std::shared_ptr<const std::string> info;
    if (!choices_.one_in(4))
      info = std::make_shared<const std::string>(R"({"n":)" + number() + '}');
    machines[machine]->relay.attend(0, {where, id, info, count, choices_.one_in(2)});
    if (count > 0) {
      there_[machine].emplace(where, id);
    } else {
      there_[machine].erase({where, id});
    }
  }

  std::string command() {
    const std::string in = R"(,"channel":")" + channel() + '"';
    const std::string id = choices_.one_in(3) ? R"(,"id":"i)" + number() + '"' : "";
    switch (choices_.below(9)) {
      case 0:
        return R"({"op":"drop","channel":")" + std::string(kChannels[1 + choices_.below(2)]) + '"' +
               id + '}';
      case 1:
        return R"({"op":"batch","commands":[)" + simple() + "}," + simple() + "}]" + id + '}';
      case 2:
        return R"({"op":"will","id":"d0")" + in + R"(,"commands":[)" + simple() + "}]}";
      case 3:
        return R"({"op":"set","key":")" + key() + R"(","value":)" + number() + in + R"(,"ttl":)" +
               std::to_string(1 + choices_.below(9)) + id + '}';
      case 4:
        return R"({"op":"broadcast","type":"e","channels":["a","b"])" + id + '}';
      default:
        return simple() + id + '}';
    }
  }
  // Without its last brace.
  std::string simple() {
    const std::string in = R"(,"channel":")" + channel() + '"';
    const std::string of = R"(,"key":")" + key() + '"';
    const std::string expected =
        choices_.one_in(3) ? R"(,"if":{"k1":)" + std::to_string(choices_.below(2)) + '}' : "";
    switch (choices_.below(4)) {
      case 0:
        return R"({"op":"delete")" + of + in + expected;
      case 1:
        return R"({"op":"merge")" + of + R"(,"value":{"n":)" + number() + '}' + in + expected;
      case 2:
        return R"({"op":"broadcast","type":"e","data":")" + std::string(choices_.below(90), 'x') +
               '"' + in;
      default:
        return R"({"op":"set")" + of + R"(,"value":")" + std::string(choices_.below(90), 'y') +
               '"' + in + expected;
    }
  }

  // Each joins before it leaves, and leaves once.
  void check_members() const {
    std::set<std::string> in;
    for (const std::string& part : machines.front()->story) {
      const std::string where = part.substr(0, part.find('#')) + '/';
      if (part.find('!') != part.npos && part[part.find('!') + 1] == '3')
        std::erase_if(in, [&](const std::string& each) { return each.starts_with(where); });
      const std::size_t data = part.find(R"("data":{"id":"d)");
      if (data == part.npos) continue;
      const std::string who = where + part.substr(data + 14, 2);
      if (part.find(R"("type":"sync:joined")") != part.npos) REQUIRE(in.insert(who).second);
      if (part.find(R"("type":"sync:left")") != part.npos) REQUIRE(in.erase(who) == 1);
    }
    REQUIRE(in.size() == machines.front()->relay.channels().members());
  }

  SeededChoices choices_;
  // Of the machines: who is there, by channel and id.
  std::vector<std::set<std::pair<std::string, std::string>>> there_{3};
};

TEST_CASE(
    "Relays that share an order become the same, whatever comes to whichever of them, and when") {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    Walk walk(seed);
    for (int part = 0; part < 6; ++part) {
      CAPTURE(part);
      for (int step = 0; step < 150; ++step) walk.step();
      if (part == 2) walk.doubt();
      if (part == 4) walk.kill_one();
      walk.settle();
      walk.check();
    }
    walk.follow_again();
    for (int count = 0; count < 4; ++count) {
      walk.pass_and_settle(seconds(31));
    }
    walk.check();
    walk.check_who_is_there();
  }
}

TEST_CASE_FIXTURE(Cluster, "A member of two relays leaves when it is at neither, and only then") {
  attend(0, "a", "d1", 1, R"({"n":1})");
  settle();
  attend(1, "a", "d1", 1, R"({"n":1})");
  settle();
  CHECK(told() == "sync:joined ");
  attend(0, "a", "d1", 0);
  pass_and_settle(seconds(31));
  CHECK(told().empty());
  attend(1, "a", "d1", 0);
  pass_and_settle(seconds(29));
  CHECK(told().empty());
  pass_and_settle(seconds(1));
  CHECK(told() == "sync:left ");
}

TEST_CASE_FIXTURE(Cluster, "Who comes back at another relay within the grace has not left") {
  attend(0, "a", "d1", 1);
  settle();
  attend(0, "a", "d1", 0);
  pass_and_settle(seconds(29));
  attend(2, "a", "d1", 1);
  settle();
  pass_and_settle(seconds(60));
  CHECK(told() == "sync:joined ");
}

TEST_CASE_FIXTURE(Cluster, "What an identity says last counts at all relays, in all channels") {
  attend(0, "a", "d1", 1, R"({"n":1})");
  attend(0, "b", "d1", 1, R"({"n":1})");
  settle();
  attend(1, "b", "d1", 1, R"({"n":2})");
  settle();
  CHECK(told() == "sync:joined sync:changed ");
  attend(2, "a", "d1", 1);
  settle();
  CHECK(told().empty());
  for (std::size_t machine = 0; machine < 3; ++machine)
    attend(machine, "a", "d1", 1, machine == 1 ? R"({"n":3})" : R"({"n":4})");
  settle();
  CHECK_FALSE(told().empty());
  pass_and_settle(seconds(10));
  CHECK(told().empty());
}

TEST_CASE_FIXTURE(Cluster,
                  "Members of a relay that is dead leave after the grace, once, with their wills") {
  attend(0, "a", "d1", 1);
  attend(0, "a", "d2", 1);
  attend(1, "a", "d2", 1);
  settle();
  machines[1]->ask(R"({"op":"will","channel":"a","id":"d1","commands":[)"
                   R"({"op":"broadcast","type":"gone","channel":"a"}]})");
  settle();
  kill(0);
  settle();
  pass_and_settle(seconds(29));
  CHECK(told() == "sync:joined sync:joined ");
  pass_and_settle(seconds(1));
  CHECK(told() == "sync:left gone ");
  pass_and_settle(seconds(60));
  CHECK(told().empty());
  CHECK(counter(machines[0]->stats.wills, WillOutcome::applied).get() == 1);
}

TEST_CASE_FIXTURE(Cluster,
                  "A relay that was taken for dead says that it lives, and nobody leaves") {
  attend(0, "a", "d1", 1);
  attend(0, "b", "d1", 1);
  settle();
  machines[2]->order.submit(Gone{machines[0]->id});
  settle();
  pass_and_settle(seconds(60));
  CHECK(told() == "sync:joined ");
}

TEST_CASE_FIXTURE(Cluster,
                  "Workers hear of who joins and leaves at one relay, whose letter it was") {
  const WorkerEvents events = WorkerEvents().add(WorkerEvent::joined).add(WorkerEvent::left);
  for (const auto& machine : machines) machine->relay.notices().ask(events, machine->clock.now());
  attend(1, "a", "d1", 1);
  settle();
  attend(1, "a", "d1", 0);
  pass_and_settle(seconds(30));
  CHECK(told() == "sync:joined sync:left ");
  for (const auto& machine : machines)
    CHECK(machine->relay.notices().take(events, 9, SIZE_MAX).notices.size() ==
          (machine == machines[1] ? 2 : 0));
}

}  // namespace
}  // namespace syncrelay
