#include <doctest/doctest.h>
#include <sqlite3.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "full_disk.h"
#include "store_fixture.h"

namespace syncrelay {
namespace {

using Texts = std::vector<std::string>;

// A database with what the batches did.
class Stored {
 public:
  Stored() {
    const auto store = opened(settings(directory_.path()));
    loaded(*store);
  }
  explicit Stored(const MadeBatch& batch) : Stored() { commit(batch); }

  void commit(const MadeBatch& batch) {
    const auto store = opened(settings(directory_.path()));
    loaded(*store);
    const auto done = store->commit(batch.get());
    REQUIRE_MESSAGE(done.ok(), done.error().detail);
  }
  StoredHistory history() { return loaded(*opened(settings(directory_.path()))); }
  std::string fault() {
    const auto history = opened(settings(directory_.path()))->load("e");
    REQUIRE_FALSE(history.ok());
    return history.error();
  }
  void check_fault(const std::string& words) {
    const std::string said = fault();
    CHECK_MESSAGE(said.find(words) != std::string::npos, said);
  }
  void change(const std::string& sql) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open((directory_.path() + "/syncrelay.db").c_str(), &database) == SQLITE_OK);
    const int error = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
    CHECK_MESSAGE(error == SQLITE_OK, sqlite3_errmsg(database));
    sqlite3_close(database);
  }
  const std::string& path() const { return directory_.path(); }

 private:
  const TemporaryDirectory directory_;
};

std::string value_of(const StoredHistory& history, const std::string& channel,
                     const std::string& key) {
  const auto found = history.state.find(channel);
  if (found == history.state.end() || found->second.count(key) == 0) return "none";
  return *found->second.at(key).value;
}

TEST_CASE("A key is one of its channel: the same key of two channels has two values") {
  Stored stored(MadeBatch()
                    .set("", "k", "0", 1)
                    .set("a", "k", "1", 2)
                    .set("b", "k", "2", 3)
                    .set("a", "k", "3", 4)
                    .erase("b", "k")
                    .set("b", "other", "4", 5)
                    .channel("a", 0, 0)
                    .channel("b", 0, 0)
                    .version(5));
  const StoredHistory history = stored.history();
  CHECK(value_of(history, "", "k") == "0");
  CHECK(value_of(history, "a", "k") == "3");
  CHECK(value_of(history, "b", "k") == "none");
  CHECK(value_of(history, "b", "other") == "4");
  CHECK(history.state.at("a").at("k").version == 4);
  CHECK(history.state.at("").at("k").version == 1);
  CHECK(history.version == 5);
}

TEST_CASE("When a key goes by itself comes back as it was, and ends with the next set") {
  const Expiry told{WallTime{1763838000123456}, std::chrono::milliseconds(1500), true};
  const Expiry silent{WallTime{-1}, std::chrono::milliseconds(31'536'000'000), false};
  Stored stored(MadeBatch()
                    .set("", "told", "1", 1, told)
                    .set("a", "silent", "1", 2, silent)
                    .set("a", "never", "1", 3)
                    .set("a", "again", "1", 4, told)
                    .channel("a", 0, 0));
  stored.commit(MadeBatch().set("a", "again", "2", 5).channel("a", 0, 0));
  const StoredHistory history = stored.history();
  const auto expiry = [&](const std::string& channel, const std::string& key) {
    return history.state.at(channel).at(key).expiry;
  };
  REQUIRE(expiry("", "told").has_value());
  CHECK(expiry("", "told")->at.microseconds == told.at.microseconds);
  CHECK(expiry("", "told")->after == told.after);
  CHECK(expiry("", "told")->told);
  REQUIRE(expiry("a", "silent").has_value());
  CHECK(expiry("a", "silent")->at.microseconds == -1);
  CHECK(expiry("a", "silent")->after == silent.after);
  CHECK_FALSE(expiry("a", "silent")->told);
  CHECK_FALSE(expiry("a", "never").has_value());
  CHECK_FALSE(expiry("a", "again").has_value());
}

TEST_CASE("A drop deletes what the channel had before it in the batch, and nothing after it") {
  Stored stored(MadeBatch()
                    .set("a", "old", "1")
                    .set("ab", "k", "1")
                    .set("", "k", "1")
                    .channel("a", 0, 0)
                    .channel("ab", 0, 0));
  stored.commit(MadeBatch()
                    .set("a", "before", "2")
                    .set("a", "both", "2")
                    .drop("a")
                    .set("a", "both", "3")
                    .set("a", "after", "3")
                    .channel("a", 1, 1)
                    .tombstone(7, 1));
  const StoredHistory history = stored.history();
  REQUIRE(history.state.at("a").size() == 2);
  CHECK(value_of(history, "a", "both") == "3");
  CHECK(value_of(history, "a", "after") == "3");
  CHECK(value_of(history, "ab", "k") == "1");
  CHECK(value_of(history, "", "k") == "1");
  stored.commit(MadeBatch().set("a", "late", "4").drop("a").gone("a").tombstone(7, 2));
  const StoredHistory without = stored.history();
  CHECK(without.state.count("a") == 0);
  REQUIRE(without.channels.size() == 1);
  CHECK(without.channels.front().name == "ab");
}

constexpr const char* kMember = R"({"info":{"n":1},"since":1763838000.123456})";
constexpr const char* kWill = R"({"op":"batch","commands":[{"op":"drop","channel":"a"}]})";

TEST_CASE("Members come back with their wills, and go with their channel") {
  Stored stored(MadeBatch()
                    .member("", "dev-1", kMember)
                    .member("a", "dev-1", kMember, kWill)
                    .member("a", "dev-2", kMember)
                    .channel("a", 0, 0));
  const StoredHistory history = stored.history();
  REQUIRE(history.members.size() == 2);
  REQUIRE(history.members.at("a").size() == 2);
  const StoredMember& first = history.members.at("a").front();
  CHECK(first.channel == "a");
  CHECK(first.id == "dev-1");
  CHECK(*first.value == kMember);
  CHECK(*first.will == kWill);
  CHECK_FALSE(history.members.at("a").back().will);
  stored.commit(
      MadeBatch().member("a", "dev-1", kMember).member("a", "dev-2", nullptr).channel("a", 0, 0));
  CHECK(stored.history().members.at("a").size() == 1);
  CHECK_FALSE(stored.history().members.at("a").front().will);
  stored.commit(MadeBatch().drop("a").member("a", "dev-3", kMember).channel("a", 1, 1));
  CHECK(stored.history().members.at("a").front().id == "dev-3");
  stored.commit(MadeBatch().drop("a").gone("a"));
  CHECK(stored.history().members.count("a") == 0);
  CHECK(stored.history().members.count("") == 1);
}

TEST_CASE("A damaged member is named, and so is one that is missing or has no channel") {
  const MadeBatch batch = MadeBatch().member("a", "dev-1", kMember, kWill).channel("a", 0, 0);
  Stored value(batch);
  value.change("UPDATE members SET value = CAST('{}' AS BLOB)");
  value.check_fault(R"(member "dev-1" of channel "a" (table members))");
  Stored will(batch);
  will.change("UPDATE members SET will = x''");
  will.check_fault("(table members)");
  Stored fewer(batch);
  fewer.change("DELETE FROM members");
  fewer.check_fault("table members has not the rows");
  Stored lost(MadeBatch().member("a", "dev-1", kMember));
  lost.check_fault("there is no such channel");
  Stored no_member(MadeBatch().member("", "dev-1", "{}"));
  no_member.check_fault("(table members)");
}

TEST_CASE("A drop of many keys goes in one, also when it is taken back") {
  constexpr int kKeys = 20'000;
  MadeBatch many;
  for (int key = 0; key < kKeys; ++key) many.set("a", "k" + std::to_string(key), "1");
  Stored stored(many.set("b", "k", "1").channel("a", 0, 0).channel("b", 0, 0));
  {
    const auto store = opened(settings(stored.path()));
    loaded(*store);
    {
      const FullDisk full(stored.path());
      const std::string large = '"' + std::string(8 << 20, 'x') + '"';
      MadeBatch refused;
      REQUIRE_FALSE(
          store->commit(refused.drop("a").gone("a").set("b", "k", large).tombstone(1, 1).get())
              .ok());
    }
    CHECK(store->commit(MadeBatch().set("b", "k", "2").channel("b", 0, 0).get()).ok());
  }
  CHECK(stored.history().state.at("a").size() == kKeys);
  CHECK(stored.history().tombstones.by_hash().empty());
  stored.commit(MadeBatch().drop("a").gone("a").tombstone(1, 1));
  CHECK(stored.history().state.count("a") == 0);
  CHECK(value_of(stored.history(), "b", "k") == "2");
}

TEST_CASE("Events come back in the order of the log, each with its channel and seq") {
  Stored stored(MadeBatch()
                    .event("", 1, "x")
                    .event("", 2, "y")
                    .event("a", 1, "p")
                    .event("b", 8, "q")
                    .event("a", 2, "r")
                    .event("a", 3, "s")
                    .event("", 3, "z")
                    .channel("a", 0, 3)
                    .channel("b", 7, 8));
  stored.commit(MadeBatch(8).event("", 4, "v"));
  stored.commit(MadeBatch(9).event("b", 9, "w").last(4).channel("b", 7, 9));
  const StoredHistory history = stored.history();
  CHECK(events_of(history) ==
        Texts{":1 x", ":2 y", "a:1 p", "b:8 q", "a:2 r", "a:3 s", ":3 z", ":4 v", "b:9 w"});
  CHECK(history.events.front().runs.size() == 5);
  CHECK(history.events_ever == 9);
  CHECK(history.last == Seq{4});
  REQUIRE(history.channels.size() == 2);
  CHECK(history.channels[1].name == "b");
  CHECK(history.channels[1].start == Seq{7});
  CHECK(history.channels[1].last == Seq{9});
}

TEST_CASE("A broadcast to many channels with the longest names comes back") {
  MadeBatch batch;
  Texts expected;
  for (int number = 0; number < 1000; ++number) {
    std::string name = std::to_string(number);
    name.insert(0, 128 - name.size(), 'n');
    batch.event(name, 1, "x").channel(name, 0, 1);
    expected.push_back(name + ":1 x");
  }
  CHECK(events_of(Stored(batch).history()) == expected);
}

TEST_CASE("Events of channels that are gone, or of an earlier life, are left out") {
  Stored stored(MadeBatch()
                    .event("gone", 1, "x")
                    .event("", 1, "y")
                    .event("a", 1, "old")
                    .event("a", 2, "older"));
  stored.commit(MadeBatch(5)
                    .event("a", 3, "oldest")
                    .drop("a")
                    .event("a", 5, "new")
                    .event("", 2, "z")
                    .channel("a", 4, 5)
                    .tombstone(1, 4));
  CHECK(events_of(stored.history()) == Texts{":1 y", "a:5 new", ":2 z"});
  // Made anew when all tombstones were forgotten: the same seqs again.
  stored.commit(MadeBatch(8)
                    .event("", 3, "v")
                    .event("a", 6, "x")
                    .event("a", 1, "again")
                    .event("a", 2, "more")
                    .channel("a", 0, 2, 1)
                    .generation(1));
  CHECK(events_of(stored.history()) == Texts{":1 y", ":2 z", ":3 v", "a:1 again", "a:2 more"});
  stored.commit(MadeBatch(12).gone("a").last(3).generation(1));
  CHECK(events_of(stored.history()) == Texts{":1 y", ":2 z", ":3 v"});
  stored.commit(MadeBatch(12).last(3).set("a", "k", "1").channel("a", 0, 0, 2).generation(2));
  CHECK(events_of(stored.history()) == Texts{":1 y", ":2 z", ":3 v"});
}

TEST_CASE("Tombstones stay until their generation ends") {
  Stored stored(MadeBatch().tombstone(1, 5).tombstone(UINT64_MAX, 6));
  stored.commit(MadeBatch().tombstone(1, 7).tombstone(2, 8));
  StoredHistory history = stored.history();
  CHECK(history.tombstones.by_hash() ==
        Tombstones::ByHash{{1, Seq{7}}, {2, Seq{8}}, {UINT64_MAX, Seq{6}}});
  CHECK(history.tombstones.generation() == 0);
  stored.commit(MadeBatch().tombstone(3, 9).generation(1));
  history = stored.history();
  CHECK(history.tombstones.by_hash() == Tombstones::ByHash{{3, Seq{9}}});
  CHECK(history.tombstones.generation() == 1);
  stored.commit(MadeBatch().generation(2));
  CHECK(stored.history().tombstones.by_hash().empty());
  CHECK(stored.history().tombstones.generation() == 2);
}

TEST_CASE("The window holds the newest events of all channels together") {
  const TemporaryDirectory directory;
  SqliteStore::Settings small = settings(directory.path());
  small.log_events = 10;
  small.log_bytes = 1 << 30;
  {
    const auto store = opened(small);
    loaded(*store);
    for (std::uint64_t n = 1; n <= 50; ++n) {
      MadeBatch batch(2 * n - 1);
      batch.event("a", n, "a").event("", n, "b").channel("a", 0, n);
      REQUIRE(store->commit(batch.get()).ok());
    }
  }
  const Texts events = events_of(loaded(*opened(small)));
  REQUIRE(events.size() == 10);
  CHECK(events.front() == "a:46 a");
  CHECK(events.back() == ":50 b");
}

TEST_CASE("A channel whose events are not one run up to its last is an error that names it") {
  Stored behind(MadeBatch().event("a", 1, "x").channel("a", 0, 2));
  behind.check_fault("event 2 of channel \"a\" is missing (table events)");
  Stored gap(MadeBatch().event("a", 1, "x").event("a", 3, "y").channel("a", 0, 3));
  gap.check_fault("event 2 of channel \"a\" is missing (table events)");
  Stored before_start(MadeBatch().event("a", 3, "x").event("a", 5, "y").channel("a", 3, 5));
  before_start.check_fault("event 4 of channel \"a\" is missing (table events)");
  Stored default_channel(MadeBatch().event("", 1, "x").last(2));
  default_channel.check_fault("event 2 is missing (table events)");
  Stored numbers(MadeBatch().event("", 1, "x"));
  numbers.commit(MadeBatch(3).event("", 2, "y"));
  numbers.check_fault("events 2 to 2 are missing (table events)");
}

TEST_CASE("What is damaged in any table is named") {
  const auto stored = [] {
    return std::make_unique<Stored>(MadeBatch()
                                        .set("a", "k", "1", 4)
                                        .set("", "k", "1", 5)
                                        .event("a", 1, "x")
                                        .event("", 1, "y")
                                        .event("b", 1, "z")
                                        .channel("a", 0, 1)
                                        .channel("b", 0, 1)
                                        .tombstone(77, 3));
  };
  const struct {
    const char* sql;
    const char* named;
  } damages[] = {
      {"UPDATE state SET value = '2' WHERE channel = x'61'",
       "the value of key \"k\" of channel \"a\" (table state)"},
      {"UPDATE state SET version = 6 WHERE channel = x''", "the value of key \"k\" (table state)"},
      {"UPDATE state SET expiry = x'00' WHERE channel = x''",
       "the value of key \"k\" (table state)"},
      {"UPDATE state SET channel = x'62' WHERE channel = x'61'", "\"b\" (table state)"},
      {"DELETE FROM state WHERE channel = x'61'", "table state has not the rows that it had"},
      {"UPDATE channels SET last = 2 WHERE name = x'61'", "channel \"a\" (table channels)"},
      {"UPDATE channels SET generation = 1 WHERE name = x'61'", "channel \"a\" (table channels)"},
      {"DELETE FROM channels WHERE name = x'61'", "table channels has not the rows that it had"},
      {"UPDATE tombstones SET last = 4", "tombstone 77 (table tombstones)"},
      {"DELETE FROM tombstones", "table tombstones has not the rows that it had"},
      {"UPDATE events SET runs = x''", "events 1 to 3 (table events)"},
      {"DELETE FROM events", "table events has not the rows that it had"},
      {"UPDATE position SET version = 9", "the position (table position)"},
      {"UPDATE position SET channels = x''", "the position (table position)"},
      {"DELETE FROM position", "the position (table position)"},
  };
  for (const auto& damage : damages) {
    const auto database = stored();
    database->change(damage.sql);
    database->check_fault(damage.named);
  }
}

TEST_CASE("State of a channel that is not there is damage") {
  Stored stored(MadeBatch().set("a", "k", "1"));
  stored.check_fault("the value of key \"k\" of channel \"a\" (table state): there is no such");
}

}  // namespace
}  // namespace syncrelay
