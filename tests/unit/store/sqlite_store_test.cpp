#include "syncrelay/store/sqlite_store.h"

#include <doctest/doctest.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "full_disk.h"
#include "store_fixture.h"

namespace syncrelay {
namespace {

// Commits batches of events "e1", "e2", … in order.
class Writer {
 public:
  explicit Writer(SqliteStore& store, Seq last = Seq{0}) : store_(store), last_(last) {}

  Result<void, Rejection> commit(int events, std::vector<StateChange> changes = {},
                                 std::vector<IdRecord> ids = {}) {
    StoreBatch batch;
    batch.first_event = last_.next().value;
    batch.last = {last_.value + static_cast<std::uint64_t>(events)};
    batch.ids = std::move(ids);
    if (!batch.ids.empty()) batch.ran = batch.ids.back().accepted;
    std::vector<std::string> wires;
    for (int count = 1; count <= events; ++count)
      wires.push_back(
          framed("e" + std::to_string(last_.value + static_cast<std::uint64_t>(count))));
    for (const std::string& wire : wires) {
      const Seq seq{batch.first_event + batch.events.size()};
      batch.events.push_back({nullptr, seq, as_bytes(wire)});
    }
    for (const StateChange& change : changes) batch.changes.push_back({nullptr, &change});
    auto result = store_.commit(batch);
    if (result) last_ = batch.last;
    return result;
  }

 private:
  SqliteStore& store_;
  Seq last_;
};

StateChange put(const std::string& key, const std::string& value) {
  return {key, std::make_shared<const std::string>(value)};
}

IdRecord id_record(const std::string& id, std::uint64_t seq, std::int64_t seconds = 1000) {
  return {id, Seq{seq}, std::chrono::seconds(seconds)};
}

std::string wire_of(const StoredHistory& history) {
  std::string wire;
  for (const StoredEvents& run : history.events) wire += run.wire;
  return wire;
}

TEST_CASE("A new database has the epoch that it is given and nothing else") {
  const TemporaryDirectory directory;
  const StoredHistory history = loaded(*opened(settings(directory.path())));
  CHECK(history.epoch == "0123456789abcdef");
  CHECK(history.last == Seq{0});
  CHECK(history.state.empty());
  CHECK(history.events.empty());
  CHECK(history.ids.empty());
}

TEST_CASE("What was committed is there when the database is opened again, under the first epoch") {
  const TemporaryDirectory directory;
  {
    const auto store = opened(settings(directory.path()));
    CHECK(store->load("first").value().epoch == "first");
    Writer writer(*store);
    REQUIRE(writer
                .commit(2, {put("radio", "{\"a\": 1}"), put("gone", "1")},
                        {id_record("x", 1), id_record("y", 2)})
                .ok());
    REQUIRE(writer.commit(1, {{"gone", nullptr}, put("radio", "2")}, {id_record("z", 3)}).ok());
    REQUIRE(writer.commit(0, {put("quiet", "true")}).ok());
  }
  const auto store = opened(settings(directory.path()));
  const StoredHistory history = store->load("second").value();
  CHECK(history.epoch == "first");
  CHECK(history.last == Seq{3});
  CHECK(wire_of(history) == framed("e1") + framed("e2") + framed("e3"));
  REQUIRE(history.state.at("").size() == 2);
  CHECK(*history.state.at("").at("radio").value == "2");
  CHECK(*history.state.at("").at("quiet").value == "true");
  REQUIRE(history.ids.size() == 3);
  CHECK(history.ids[0].id == "x");
  CHECK(history.ids[2].seq == Seq{3});
  CHECK(history.ids[2].accepted == std::chrono::seconds(1000));
  CHECK(history.ran == std::chrono::seconds(1000));
}

TEST_CASE("The database keeps a whole window of events, and little more") {
  const TemporaryDirectory directory;
  SqliteStore::Settings small = settings(directory.path());
  small.log_events = 50;
  small.log_bytes = 1 << 30;
  {
    const auto store = opened(small);
    loaded(*store);
    Writer writer(*store);
    for (int batch = 0; batch < 100; ++batch) REQUIRE(writer.commit(7).ok());
  }
  const StoredHistory history = loaded(*opened(small));
  CHECK(history.last == Seq{700});
  CHECK(history.events.front().runs.front().first <= Seq{651});
  CHECK(history.events.front().runs.front().first >= Seq{651 - 7});
}

TEST_CASE("Ids are kept up to their number and age, by whole batches") {
  const TemporaryDirectory directory;
  SqliteStore::Settings small = settings(directory.path());
  small.ids = 10;
  {
    const auto store = opened(small);
    loaded(*store);
    Writer writer(*store);
    for (int batch = 0; batch < 20; ++batch) {
      REQUIRE(writer
                  .commit(0, {},
                          {id_record("a" + std::to_string(batch), 1),
                           id_record("b" + std::to_string(batch), 1)})
                  .ok());
    }
  }
  {
    const auto store = opened(small);
    CHECK(loaded(*store).ids.size() == 10);
    Writer writer(*store);
    REQUIRE(writer.commit(0, {}, {id_record("late", 1, 1000 + 601)}).ok());
  }
  CHECK(loaded(*opened(small)).ids.size() == 1);
}

TEST_CASE("A file that is no database is an error that names it") {
  const TemporaryDirectory directory;
  std::ofstream(directory.path() + "/syncrelay.db") << std::string(8192, 'x');
  const auto store = SqliteStore::open(settings(directory.path()));
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().find(directory.path() + "/syncrelay.db") != std::string::npos);
  CHECK(store.error().find("not a database") != std::string::npos);
}

TEST_CASE("A directory that is not there is an error that names the file") {
  const auto store = SqliteStore::open(settings("/nonexistent/place"));
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().find("/nonexistent/place/syncrelay.db") != std::string::npos);
}

TEST_CASE("Damaged events are an error at the start, not a gap in the log") {
  const TemporaryDirectory directory;
  {
    const auto store = opened(settings(directory.path()));
    loaded(*store);
    StoreBatch batch;
    batch.last = Seq{1};
    const std::string cut = framed("whole message").substr(0, 5);
    batch.events.push_back({nullptr, Seq{1}, as_bytes(cut)});
    REQUIRE(store->commit(batch).ok());
  }
  const auto history = opened(settings(directory.path()))->load("e");
  REQUIRE_FALSE(history.ok());
  CHECK(history.error().find("damaged") != std::string::npos);
}

TEST_CASE(
    "A batch that cannot be written is refused whole, and the store goes on when there is room "
    "again") {
  const TemporaryDirectory directory;
  {
    const auto store = opened(settings(directory.path()));
    loaded(*store);
    Writer writer(*store);
    REQUIRE(writer.commit(1, {put("radio", "1")}, {id_record("first", 1)}).ok());
    {
      const FullDisk full(directory.path());
      const std::string large(4 << 20, 'x');
      const auto result =
          writer.commit(1, {put("radio", '"' + large + '"')}, {id_record("refused", 2)});
      REQUIRE_FALSE(result.ok());
      const RejectReason reason = result.error().reason;
      CHECK((reason == RejectReason::storage_full || reason == RejectReason::storage_failed));
      CHECK(result.error().detail.find("syncrelay.db") != std::string::npos);
    }
    REQUIRE(writer.commit(1, {put("radio", "3")}, {id_record("second", 2)}).ok());
  }
  const StoredHistory history = loaded(*opened(settings(directory.path())));
  CHECK(history.last == Seq{2});
  CHECK(*history.state.at("").at("radio").value == "3");
  REQUIRE(history.ids.size() == 2);
  CHECK(history.ids[1].id == "second");
}

}  // namespace
}  // namespace syncrelay
