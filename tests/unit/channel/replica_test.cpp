#include "syncrelay/channel/replica.h"

#include <doctest/doctest.h>

#include "support/test_relay.h"

namespace syncrelay {
namespace {

Update change_of(const std::string& key, const char* value) {
  Update update;
  const StateValue text = value == nullptr ? nullptr : std::make_shared<const std::string>(value);
  update.changes = std::make_shared<const StateChanges>(StateChanges{{key, text}});
  return update;
}

std::string value_of(const Replica& replica, const std::string& key) {
  const StateValue* found = replica.default_channel().state.find(key);
  return found == nullptr ? "absent" : **found;
}

constexpr EventLog::Bounds kWindow{1 << 20, 1000};

TEST_CASE("Configured keys are null until they are set") {
  const Replica replica({"comparison", "radio"}, kWindow);
  CHECK(replica.default_channel().state.size() == 2);
  CHECK(value_of(replica, "radio") == "null");
}

TEST_CASE("Changes set, replace and remove keys, and each makes a new version") {
  Replica replica({}, kWindow);
  const std::uint64_t before = replica.default_channel().state_version;
  replica.apply(change_of("k", "1"));
  CHECK(value_of(replica, "k") == "1");
  const std::uint64_t after = replica.default_channel().state_version;
  CHECK(after != before);
  replica.apply(change_of("k", "2"));
  CHECK(value_of(replica, "k") == "2");
  CHECK(replica.default_channel().state_version != after);
  replica.apply(change_of("k", nullptr));
  CHECK(value_of(replica, "k") == "absent");
  replica.apply(change_of("never", nullptr));
  CHECK(replica.default_channel().state.size() == 0);
}

TEST_CASE("An event without a change leaves the version of the state alone") {
  Replica replica({}, kWindow);
  const std::uint64_t version = replica.default_channel().state_version;
  replica.apply(testing::make_event(Seq{1}, 0, "event"));
  CHECK(replica.default_channel().state_version == version);
  CHECK(replica.default_channel().log.next() == Seq{2});
}

TEST_CASE("State change and event of one update are taken in together") {
  Replica replica({}, kWindow);
  Update update = testing::make_event(Seq{1}, 0, "event");
  update.changes = change_of("k", "1").changes;
  replica.apply(update);
  CHECK(value_of(replica, "k") == "1");
  CHECK(replica.default_channel().log.next() == Seq{2});
}

TEST_CASE("Replicas share the bytes of a value") {
  Replica left({}, kWindow);
  Replica right({}, kWindow);
  const Update update = change_of("k", "shared");
  left.apply(update);
  right.apply(update);
  CHECK(*left.default_channel().state.find("k") == *right.default_channel().state.find("k"));
}

}  // namespace
}  // namespace syncrelay
