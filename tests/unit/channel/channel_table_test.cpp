#include "syncrelay/channel/channel_table.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>

#include "support/choices.h"

namespace syncrelay {
namespace {

// What a step tells of a channel.
Update part_of(const Channel& channel) {
  Update part;
  part.channel = channel.name;
  part.slot = channel.slot;
  return part;
}

void put(ChannelTable& table, Channel& channel, Shelf shelf, const std::string& key) {
  StateChanges changes{{key, std::make_shared<const std::string>("1")}};
  table.change(channel, changes, shelf);
}

TEST_CASE("A slot of a channel that is gone is another one's only after keep()") {
  ChannelTable table;
  Channel& gone = table.make("gone");
  table.keep();
  const Update part = part_of(gone);
  REQUIRE(table.find(part) == &gone);
  table.remove(gone, Seq{1});
  CHECK(table.find(part) == nullptr);
  const Channel& early = table.make("early");
  CHECK(early.slot != part.slot);
  table.keep();
  CHECK(table.find(part) == nullptr);
  const Channel& late = table.make("late");
  CHECK(late.slot == part.slot);
  CHECK(table.find(part_of(early)) == &early);
  CHECK(table.find(part_of(late)) == &late);
}

TEST_CASE("Undone: what was made leaves its slot, what was removed has its own again") {
  ChannelTable table;
  Channel& room = table.make("room");
  put(table, room, Shelf::members, "ann");
  put(table, room, Shelf::wills, "ann");
  table.keep();
  const ChannelTable::Mark before = table.mark();
  const Update part = part_of(room);
  table.remove(room, Seq{1});
  Channel& again = table.make("room");
  put(table, again, Shelf::members, "bob");
  const Update undone = part_of(again);
  table.rewind(before);
  CHECK(table.find(part) == &room);
  CHECK(table.find("room") == &room);
  CHECK(table.find(undone) == nullptr);
  CHECK(table.members() == 1);
  CHECK(table.will_bytes() == room.wills.get().bytes());
  table.keep();
  CHECK(table.find(part) == &room);
  CHECK(table.make("next").slot == undone.slot);
}

TEST_CASE("A part that tells no slot is found by its name, and the default channel never") {
  ChannelTable table;
  Channel restored;
  restored.name = std::make_shared<const std::string>("room");
  table.restore(restored);
  Update part;
  CHECK(table.find(part) == nullptr);
  part.channel = restored.name;
  CHECK(table.find(part) == table.find("room"));
  CHECK(table.find(part_of(*table.find("room"))) == table.find("room"));
  CHECK(table.find(part_of(table.main())) == nullptr);
}

void check_slots(ChannelTable& table) {
  std::set<std::uint32_t> slots;
  std::uint64_t members = 0;
  for (const auto& [name, channel] : table.by_name()) {
    REQUIRE(table.find(part_of(*channel)) == channel.get());
    REQUIRE(slots.insert(channel->slot).second);
    members += channel->members.get().size();
  }
  REQUIRE(table.members() == members);
}

TEST_CASE("Whatever is made, removed, undone and kept, each channel has a slot of its own") {
  testing::SeededChoices choices(7);
  ChannelTable table;
  std::uint32_t most = 0;
  for (int step = 0; step < 20'000; ++step) {
    const ChannelTable::Mark mark = table.mark();
    for (std::uint64_t change = choices.below(6); change > 0; --change) {
      const std::string name(1, static_cast<char>('a' + choices.below(12)));
      Channel* const found = table.find(name);
      Channel& channel = found == nullptr ? table.make(name) : *found;
      most = std::max(most, channel.slot);
      if (found != nullptr && choices.one_in(2)) {
        table.remove(channel, channel.last.next());
      } else {
        put(table, channel, Shelf::members, "ann");
      }
    }
    check_slots(table);
    if (choices.one_in(3)) table.rewind(mark);
    if (choices.one_in(3)) table.keep();
    check_slots(table);
  }
  CHECK(most < 200);
}

}  // namespace
}  // namespace syncrelay
