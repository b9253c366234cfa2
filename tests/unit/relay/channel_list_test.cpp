#include "syncrelay/relay/channel_list.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>

namespace syncrelay {
namespace {

class Lists {
 public:
  Lists() {
    for (const char* name : {"room:1", "room:2", "other", "@dev"}) table_.make(name);
    StateChanges changes = {{"key", std::make_shared<const std::string>("12345"), 0}};
    table_.change(*table_.find("room:1"), changes);
    table_.advance(*table_.find("room:1"));
    subscribers_.set(0, "", 4);
    subscribers_.set(0, "room:2", 1);
    subscribers_.set(1, "room:2", 2);
    subscribers_.set(1, "room:15", 1);
    subscribers_.set(1, "zoo", 1);
  }

  std::string names(std::string prefix, std::optional<std::string> after, std::size_t limit) {
    std::string text;
    const ChannelList list = get(std::move(prefix), std::move(after), limit);
    for (const ListedChannel& channel : list.channels) text += channel.name + ' ';
    return text + (list.more ? "more" : "end");
  }

  ChannelList get(std::string prefix, std::optional<std::string> after, std::size_t limit) {
    Command command;
    command.op = Op::channels;
    command.prefix = std::move(prefix);
    command.after = std::move(after);
    command.limit = limit;
    return list_channels(Query(command), table_, subscribers_);
  }

 private:
  ChannelTable table_;
  SubscriberCounts subscribers_{2};
};

TEST_CASE("All channels that the relay has or somebody follows, each once, in byte order") {
  Lists lists;
  CHECK(lists.names("", {}, 100) == " @dev other room:1 room:15 room:2 zoo end");
}

TEST_CASE("A prefix narrows them, and the default channel has none") {
  Lists lists;
  CHECK(lists.names("room:", {}, 100) == "room:1 room:15 room:2 end");
  CHECK(lists.names("room:1", {}, 100) == "room:1 room:15 end");
  CHECK(lists.names("none", {}, 100) == "end");
}

TEST_CASE("Page after page shows each channel once, whatever the size of a page") {
  Lists lists;
  for (std::size_t limit = 1; limit < 9; ++limit) {
    CAPTURE(limit);
    std::string all;
    std::optional<std::string> after;
    ChannelList page;
    do {
      page = lists.get("", after, limit);
      CHECK(page.channels.size() <= limit);
      for (const ListedChannel& channel : page.channels) all += channel.name + ' ';
      after = page.channels.back().name;
    } while (page.more);
    CHECK(all == " @dev other room:1 room:15 room:2 zoo ");
  }
}

TEST_CASE("What is behind a name goes on there, also when it is gone or no one's") {
  Lists lists;
  CHECK(lists.names("", "", 2) == "@dev other more");
  CHECK(lists.names("", "p", 100) == "room:1 room:15 room:2 zoo end");
  CHECK(lists.names("room:", "a", 100) == "room:1 room:15 room:2 end");
  CHECK(lists.names("room:", "room:15", 100) == "room:2 end");
  CHECK(lists.names("room:", "zzz", 100) == "end");
}

TEST_CASE("A listed channel has its position, state and subscribers") {
  Lists lists;
  const ChannelList list = lists.get("room:", {}, 100);
  CHECK(list.channels[0].position.seq == Seq{1});
  CHECK(list.channels[0].keys == 1);
  CHECK(list.channels[0].bytes == 8);
  CHECK(list.channels[0].subscribers == 0);
  CHECK(list.channels[1].position.seq == Seq{0});
  CHECK(list.channels[1].subscribers == 1);
  CHECK(list.channels[2].subscribers == 3);
}

}  // namespace
}  // namespace syncrelay
