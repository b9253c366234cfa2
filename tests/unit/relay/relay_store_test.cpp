#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "support/fake_clock.h"
#include "syncrelay/channel/replica.h"
#include "syncrelay/protocol/command_decoder.h"
#include "syncrelay/protocol/frame.h"
#include "syncrelay/relay/relay.h"

namespace syncrelay {
namespace {

// Keeps copies of the batches; refuses them while it is told to.
class FakeStore final : public Store {
 public:
  struct Batch {
    Seq first;
    Seq last;
    std::string wire;
    std::vector<std::string> changed_keys;
    std::vector<std::string> ids;
    Duration ran{};
  };

  Result<void, Rejection> commit(const StoreBatch& batch) override {
    if (refusing) return Rejection{RejectReason::storage_full, 0, "no room"};
    Batch copy{Seq{batch.first_event}, batch.last, {}, {}, {}, batch.ran};
    for (const StoredEvent& event : batch.events) copy.wire += as_text(event.wire);
    for (const StoredChange& stored : batch.changes)
      copy.changed_keys.push_back(stored.change->key);
    for (const IdRecord& id : batch.ids) copy.ids.push_back(id.id);
    batches.push_back(copy);
    return {};
  }

  Result<void, Rejection> begin_backup() override { return {}; }
  std::optional<Result<std::string, Rejection>> step_backup() override { return std::nullopt; }

  bool refusing = false;
  std::vector<Batch> batches;
};

struct StoredRelay {
  StoredRelay()
      : mailbox({1000, 1 << 30}, [] {}), relay(settings(), clock, {&mailbox}, stats, &store) {}

  static Relay::Settings settings() {
    return {{{"radio"}, 1 << 20, 100}, {1 << 20, 1000}, {100, std::chrono::minutes(10)}};
  }

  Result<Accepted, Rejection> send(const std::string& json) {
    const auto command = decoder.decode(json);
    REQUIRE(command.ok());
    return relay.apply(*command.value(), {clock.wall()});
  }

  std::vector<Update> posted() {
    std::vector<Letter> letters;
    mailbox.take(letters);
    std::vector<Update> updates;
    for (Letter& letter : letters) updates.push_back(std::get<Update>(std::move(letter)));
    return updates;
  }

  std::string value(const std::string& key) const {
    const StateValue* const found = relay.state().find(key);
    return found == nullptr ? "absent" : **found;
  }

  testing::FakeClock clock;
  RelayStats stats;
  FakeStore store;
  Mailbox<Letter> mailbox;
  CommandDecoder decoder{1 << 22};
  Relay relay;
};

TEST_CASE("A batch is stored before a shard sees any of it") {
  StoredRelay test;
  REQUIRE(
      test.send(R"({"op":"broadcast","notify":false,"type":"t","set":{"radio":1},"id":"a"})").ok());
  REQUIRE(test.send(R"({"op":"broadcast","type":"t"})").ok());
  CHECK(test.store.batches.empty());
  CHECK(test.posted().empty());
  REQUIRE(test.relay.publish().ok());
  REQUIRE(test.store.batches.size() == 1);
  const FakeStore::Batch& batch = test.store.batches.front();
  CHECK(batch.first == Seq{1});
  CHECK(batch.last == Seq{2});
  CHECK(batch.changed_keys == std::vector<std::string>{"radio"});
  CHECK(batch.ids == std::vector<std::string>{"a"});
  CHECK(test.posted().size() == 2);
}

TEST_CASE("A batch that cannot be stored leaves no trace") {
  StoredRelay test;
  REQUIRE(test.send(R"({"op":"set","notify":false,"key":"radio","value":"before"})").ok());
  REQUIRE(test.relay.publish().ok());
  test.posted();
  test.store.refusing = true;
  REQUIRE(
      test.send(
              R"({"op":"broadcast","notify":false,"type":"t","set":{"radio":"during","new":1},"id":"a"})")
          .ok());
  REQUIRE(test.send(R"({"op":"set","notify":false,"key":"radio","value":"later"})").ok());
  REQUIRE(test.send(R"({"op":"delete","notify":false,"key":"new"})").ok());
  const auto stored = test.relay.publish();
  REQUIRE_FALSE(stored.ok());
  CHECK(stored.error().reason == RejectReason::storage_full);
  CHECK(test.posted().empty());
  CHECK(test.value("radio") == "\"before\"");
  CHECK(test.value("new") == "absent");
  CHECK(test.relay.last() == Seq{0});
  CHECK(test.stats.state_keys.get() == 1);
  CHECK(test.stats.state_bytes.get() == std::string("radio\"before\"").size());
  CHECK(test.stats.events.get() == 0);
  CHECK(test.stats.commands[static_cast<std::size_t>(Op::broadcast)].get() == 0);
}

TEST_CASE(
    "After a batch was refused its ids are free and the next event takes its seq and its place in "
    "the log") {
  StoredRelay test;
  test.store.refusing = true;
  REQUIRE(test.send(R"({"op":"broadcast","type":"lost","id":"a"})").ok());
  REQUIRE_FALSE(test.relay.publish().ok());
  test.store.refusing = false;
  const auto again = test.send(R"({"op":"broadcast","type":"kept","id":"a"})");
  CHECK_FALSE(again.value().duplicate);
  CHECK(again.value().seq() == Seq{1});
  REQUIRE(test.relay.publish().ok());
  const std::vector<Update> updates = test.posted();
  REQUIRE(updates.size() == 1);
  CHECK(updates.front().position == 0);
  CHECK(test.store.batches.front().wire.find("kept") != std::string::npos);
  CHECK(test.store.batches.front().wire.find("lost") == std::string::npos);
}

TEST_CASE(
    "A repeated id changes nothing, whatever else the command says, and answers as the first did") {
  StoredRelay test;
  REQUIRE(
      test.send(R"({"op":"set","key":"radio","value":1,"id":"a","notify":true})").value().seq() ==
      Seq{1});
  REQUIRE(test.send(R"({"op":"broadcast","type":"t"})").value().seq() == Seq{2});
  const auto again = test.send(R"({"op":"set","notify":false,"key":"radio","value":2,"id":"a"})");
  CHECK(again.value().duplicate);
  CHECK(again.value().seq() == Seq{1});
  CHECK(test.value("radio") == "1");
  CHECK(test.stats.duplicates.get() == 1);
}

TEST_CASE("A repetition of what is stored is answered as such even when its batch is refused") {
  StoredRelay test;
  REQUIRE(test.send(R"({"op":"broadcast","type":"t","id":"stored"})").ok());
  REQUIRE(test.relay.publish().ok());
  test.store.refusing = true;
  REQUIRE(test.send(R"({"op":"broadcast","type":"t","id":"new"})").ok());
  const auto stored = test.send(R"({"op":"broadcast","type":"t","id":"stored"})");
  const auto staged = test.send(R"({"op":"broadcast","type":"t","id":"new"})");
  CHECK(stored.value().stored);
  CHECK(staged.value().duplicate);
  CHECK_FALSE(staged.value().stored);
  REQUIRE_FALSE(test.relay.publish().ok());
  CHECK(test.send(R"({"op":"broadcast","type":"t","id":"stored"})").value().duplicate);
  CHECK_FALSE(test.send(R"({"op":"broadcast","type":"t","id":"new"})").value().duplicate);
}

TEST_CASE("A batch that is refused makes the relay forget no older id") {
  StoredRelay test;
  const auto send = [&test](int number) {
    return test.send(R"({"op":"set","notify":false,"key":"radio","value":1,"id":")" +
                     std::to_string(number) + "\"}");
  };
  for (int number = 0; number < 100; ++number) REQUIRE(send(number).ok());
  REQUIRE(test.relay.publish().ok());
  test.store.refusing = true;
  for (int number = 100; number < 150; ++number) REQUIRE(send(number).ok());
  REQUIRE_FALSE(test.relay.publish().ok());
  for (int number = 0; number < 100; ++number) CHECK(send(number).value().duplicate);
}

TEST_CASE("A refused command leaves no id behind") {
  StoredRelay test;
  const std::string large(1 << 20, 'x');
  REQUIRE_FALSE(
      test.send(R"({"op":"set","notify":false,"key":"radio","id":"a","value":")" + large + "\"}")
          .ok());
  CHECK_FALSE(test.send(R"({"op":"set","notify":false,"key":"radio","id":"a","value":1})")
                  .value()
                  .duplicate);
}

TEST_CASE("A relay goes on from its history, and so does a replica from the updates it returns") {
  std::string wire;
  for (const char* text : {R"({"type":"a"})", R"({"type":"b"})"}) {
    const std::size_t begin = wire.size();
    wire.resize(begin + wire_size(12));
    MessageWriter(reinterpret_cast<std::byte*>(wire.data() + begin), 12).write(text);
  }
  StoredRelay test;
  StoredHistory history;
  history.epoch = "epoch";
  history.last = Seq{42};
  history.state[""]["radio"] = {std::make_shared<const std::string>("7"), 1};
  history.events = {{{{nullptr, Seq{41}, 2}}, wire}};
  history.ids = {{"old", Seq{40}, std::chrono::minutes(1)}};
  history.ran = std::chrono::minutes(2);
  const Restored restored = test.relay.restore(history);
  Replica replica({"radio"}, {1 << 20, 1000});
  replica.restore(restored);
  CHECK(test.relay.last() == Seq{42});
  CHECK(replica.default_channel().log.first() == Seq{41});
  CHECK(replica.default_channel().log.next() == Seq{43});
  CHECK(**replica.default_channel().state.find("radio") == "7");
  const auto again = test.send(R"({"op":"broadcast","type":"t","id":"old"})");
  CHECK(again.value().duplicate);
  CHECK(again.value().seq() == Seq{40});
  CHECK(test.send(R"({"op":"broadcast","type":"t"})").value().seq() == Seq{43});
  REQUIRE(test.relay.publish().ok());
  replica.apply(test.posted().front());
  CHECK(replica.default_channel().log.next() == Seq{44});
}

TEST_CASE("A merge into a stored value that is no JSON is refused, and a set puts it right") {
  StoredRelay test;
  StoredHistory history;
  history.state[""]["radio"] = {std::make_shared<const std::string>("{\"cut"), 1};
  test.relay.restore(history);
  const auto merged = test.send(R"({"op":"merge","notify":false,"key":"radio","value":{"a":1}})");
  REQUIRE_FALSE(merged.ok());
  CHECK(merged.error().reason == RejectReason::invalid_json);
  REQUIRE(test.send(R"({"op":"set","notify":false,"key":"radio","value":{}})").ok());
  CHECK(test.send(R"({"op":"merge","notify":false,"key":"radio","value":{"a":1}})").ok());
}

TEST_CASE("The host's clock may jump as it likes: ids age by the time that the relay runs") {
  StoredRelay test;
  const auto repeated = [&test] {
    return test.send(R"({"op":"set","notify":false,"key":"radio","value":1,"id":"a"})")
        .value()
        .duplicate;
  };
  CHECK_FALSE(repeated());
  REQUIRE(test.relay.publish().ok());
  for (const std::int64_t years : {30, -60, 30}) {
    const std::int64_t microseconds = years * 365 * 24 * 3600 * 1'000'000;
    test.clock.set_wall({test.clock.wall().microseconds + microseconds});
    CHECK(repeated());
    REQUIRE(test.relay.publish().ok());
  }
  test.clock.advance(std::chrono::minutes(11));
  CHECK_FALSE(repeated());
}

TEST_CASE("Over a restart ids are as old as the relay ran since, whatever the clock says then") {
  for (const std::int64_t wall : {0LL, 4'000'000'000'000'000LL}) {
    StoredRelay test;
    test.clock.set_wall({wall});
    StoredHistory history;
    history.ran = std::chrono::minutes(100);
    history.ids = {{"old", Seq{1}, std::chrono::minutes(89)},
                   {"young", Seq{2}, std::chrono::minutes(95)}};
    history.last = Seq{2};
    test.relay.restore(history);
    CHECK(test.send(R"({"op":"set","notify":false,"key":"radio","value":1,"id":"young"})")
              .value()
              .duplicate);
    CHECK_FALSE(test.send(R"({"op":"set","notify":false,"key":"radio","value":1,"id":"old"})")
                    .value()
                    .duplicate);
    test.clock.advance(std::chrono::minutes(6));
    CHECK_FALSE(test.send(R"({"op":"set","notify":false,"key":"radio","value":1,"id":"young"})")
                    .value()
                    .duplicate);
    REQUIRE(test.relay.publish().ok());
    CHECK(test.store.batches.front().ran == std::chrono::minutes(106));
  }
}

}  // namespace
}  // namespace syncrelay
