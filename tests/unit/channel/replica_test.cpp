#include "syncrelay/channel/replica.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "support/choices.h"
#include "support/test_relay.h"
#include "support/update_source.h"

namespace syncrelay {
namespace {

Update change_of(const std::string& key, const char* value) {
  Update update;
  const StateValue text = value == nullptr ? nullptr : std::make_shared<const std::string>(value);
  update.changes = std::make_shared<const StateChanges>(StateChanges{{key, text}});
  return update;
}

std::string value_of(const ReplicaChannel& channel, const std::string& key) {
  const StateValue* found = channel.state.find(key);
  return found == nullptr ? "absent" : **found;
}

std::string value_of(const Replica& replica, const std::string& key) {
  return value_of(replica.default_channel(), key);
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

// One who follows a channel, as far as a replica cares.
struct AnyFollower final : ChannelFollower {
  explicit AnyFollower(ReplicaChannel& followed) : channel(followed) {
    channel.followers.add(*this);
  }
  ~AnyFollower() { channel.followers.remove(*this); }
  ReplicaChannel& channel;
};

// A replica fed with steps of several channels.
struct ChannelsReplica {
  void event(const std::string& channel) {
    const ReplicaChannel* const found = replica.find(channel);
    const Seq seq = found == nullptr ? Seq{1} : found->log.next();
    replica.apply(source.event(channel, seq, "event"));
  }
  void end(const std::string& channel, ChannelEnd how) {
    replica.apply(source.end(channel, replica.find(channel)->last(), how));
  }

  testing::UpdateSource source{1 << 20};
  Replica replica{{"radio"}, kWindow};
};

TEST_CASE_FIXTURE(ChannelsReplica, "A channel is there from the first update that names it") {
  CHECK(replica.channels() == 1);
  CHECK(replica.find("a") == nullptr);
  CHECK(replica.find("") == &replica.default_channel());
  event("a");
  replica.apply(source.change("b", Seq{0}, "k", "1"));
  REQUIRE(replica.find("a") != nullptr);
  CHECK(replica.find("a")->last() == Seq{1});
  CHECK(replica.find("b")->last() == Seq{0});
  CHECK(value_of(*replica.find("b"), "k") == "1");
  CHECK(replica.find("b")->state_version != replica.find("a")->state_version);
  CHECK(replica.channels() == 3);
  CHECK(replica.local_channels() == 0);
}

TEST_CASE_FIXTURE(ChannelsReplica, "A step of many parts is taken in whole") {
  Update step = source.event("a", Seq{1}, "event");
  step.also = std::make_shared<const std::vector<Update>>(std::vector<Update>{
      source.change("b", Seq{0}, "k", "1"), source.event("a", Seq{2}, "event")});
  replica.apply(step);
  CHECK(replica.find("a")->last() == Seq{2});
  CHECK(replica.find("b")->state.size() == 1);
  CHECK(replica.news().size() == 2);
}

TEST_CASE_FIXTURE(ChannelsReplica, "A channel that is forgotten goes on with its numbers") {
  event("a");
  event("a");
  end("a", ChannelEnd::forgotten);
  CHECK(replica.find("a") == nullptr);
  CHECK(replica.log().events() == 0);
  CHECK(replica.make_local("a").last() == Seq{2});
  CHECK(replica.local_channels() == 1);
  replica.apply(source.event("a", Seq{3}, "event"));
  CHECK(replica.find("a")->last() == Seq{3});
  CHECK(replica.find("a")->numbering == 0);
  CHECK(replica.local_channels() == 0);
}

TEST_CASE_FIXTURE(ChannelsReplica, "A channel that is dropped leaves a gap behind its numbers") {
  event("a");
  end("a", ChannelEnd::dropped);
  CHECK(replica.find("a") == nullptr);
  CHECK(replica.dropped().empty());
  CHECK(replica.make_local("a").last() == Seq{2});
}

TEST_CASE_FIXTURE(ChannelsReplica, "A forgotten channel that is followed stays for its followers") {
  event("a");
  {
    const AnyFollower follower(*replica.find("a"));
    end("a", ChannelEnd::forgotten);
    REQUIRE(replica.find("a") != nullptr);
    CHECK(replica.local_channels() == 1);
    event("a");
    CHECK(replica.find("a")->last() == Seq{2});
    CHECK(replica.find("a")->numbering == 0);
    end("a", ChannelEnd::forgotten);
  }
  replica.release(*replica.find("a"));
  CHECK(replica.find("a") == nullptr);
  CHECK(replica.local_channels() == 0);
}

TEST_CASE_FIXTURE(ChannelsReplica,
                  "A channel that made room for others stays for its followers, and begins anew") {
  event("a");
  const AnyFollower follower(*replica.find("a"));
  end("a", ChannelEnd::made_room);
  REQUIRE(replica.find("a") != nullptr);
  CHECK(replica.find("a")->last() == Seq{1});
  CHECK(replica.dropped().empty());
  CHECK(replica.local_channels() == 1);
  replica.apply(source.event("a", Seq{3}, "event"));
  CHECK(replica.find("a")->last() == Seq{3});
  CHECK(replica.find("a")->begin == Seq{3});
  CHECK(replica.find("a")->numbering == 1);
  CHECK(replica.local_channels() == 0);
}

TEST_CASE_FIXTURE(ChannelsReplica, "A channel that made room for others leaves a gap") {
  event("a");
  end("a", ChannelEnd::made_room);
  CHECK(replica.find("a") == nullptr);
  CHECK(replica.make_local("a").last() == Seq{2});
}

TEST_CASE_FIXTURE(ChannelsReplica,
                  "A dropped channel that is followed can be read until it is forgotten") {
  event("a");
  ReplicaChannel& channel = *replica.find("a");
  {
    const AnyFollower follower(channel);
    end("a", ChannelEnd::dropped);
    CHECK(replica.find("a") == nullptr);
    REQUIRE(replica.dropped().size() == 1);
    CHECK_FALSE(replica.dropped()[0]->log.read(Seq{1}).bytes().empty());
    replica.apply(source.event("a", Seq{3}, "event"));
    CHECK(replica.find("a") != &channel);
  }
  replica.forget_dropped(0);
  CHECK(replica.dropped().empty());
  CHECK(replica.log().events() == 1);
}

TEST_CASE_FIXTURE(ChannelsReplica, "Who is gone is no news any more") {
  event("a");
  event("b");
  end("a", ChannelEnd::forgotten);
  REQUIRE(replica.news().size() == 2);
  CHECK(replica.news()[0] == nullptr);
  CHECK(replica.news()[1] == replica.find("b"));
  replica.forget_news();
  event("b");
  CHECK(replica.news().size() == 1);
}

TEST_CASE_FIXTURE(ChannelsReplica, "Channels go on from an earlier life, with their tombstones") {
  Restored restored;
  restored.last = Seq{5};
  restored.channels = {{std::make_shared<const std::string>("a"), Seq{3}, 2}};
  restored.tombstones.put("gone", Seq{8});
  restored.updates = {source.change("a", Seq{3}, "k", "1"), source.event("a", Seq{3}, "event")};
  replica.restore(restored);
  REQUIRE(replica.find("a") != nullptr);
  CHECK(replica.find("a")->generation == 2);
  CHECK(replica.find("a")->log.first() == Seq{3});
  CHECK(replica.find("a")->last() == Seq{3});
  CHECK(replica.find("a")->known);
  CHECK(replica.default_channel().last() == Seq{5});
  CHECK(replica.make_local("gone").last() == Seq{8});
  CHECK(replica.news().empty());
}

TEST_CASE("The followers of a channel are without gaps, the shared ones in front") {
  ReplicaChannel channel{nullptr};
  testing::SeededChoices choices(5);
  std::vector<std::unique_ptr<AnyFollower>> followers;
  for (int step = 0; step < 5'000; ++step) {
    if (followers.empty() || choices.one_in(3)) {
      followers.push_back(std::make_unique<AnyFollower>(channel));
    } else if (choices.one_in(3)) {
      followers.erase(followers.begin() +
                      choices.below(static_cast<std::uint32_t>(followers.size())));
    } else {
      AnyFollower& any = *followers[choices.below(static_cast<std::uint32_t>(followers.size()))];
      channel.followers.set_shared(any, choices.one_in(2));
    }
    REQUIRE(channel.followers.size() == followers.size());
    for (std::size_t index = 0; index < followers.size(); ++index)
      REQUIRE(channel.followers[index].shared() == (index < channel.followers.shared()));
  }
}

}  // namespace
}  // namespace syncrelay
