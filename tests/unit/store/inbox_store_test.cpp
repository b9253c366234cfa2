// What clients say to the backend, over the real store: random histories against a model, and a
// relay that is killed before and after its commits.

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "store_fixture.h"
#include "support/fake_clock.h"
#include "support/inbox_model.h"
#include "syncrelay/relay/relay.h"

namespace syncrelay {
namespace {

using std::chrono::seconds;
using testing::InboxModel;

// Refuses while it is told to.
class WeakStore final : public Store {
 public:
  explicit WeakStore(const std::string& directory) : store_(opened(settings(directory))) {}

  StoredHistory history() { return loaded(*store_); }

  Result<void, Rejection> commit(const StoreBatch& batch) override {
    if (refusing) return Rejection{RejectReason::storage_full, 0, "no room"};
    return store_->commit(batch);
  }
  Result<void, Rejection> begin_backup() override { return store_->begin_backup(); }
  std::optional<Result<std::string, Rejection>> step_backup() override {
    return store_->step_backup();
  }

  bool refusing = false;

 private:
  std::unique_ptr<SqliteStore> store_;
};

// A relay on a directory.
struct StoredRelay {
  StoredRelay(const std::string& directory, const testing::FakeClock& clock)
      : store(directory), relay(settings(), clock, {}, stats, &store) {
    relay.restore(store.history());
  }
  static Relay::Settings settings() {
    constexpr IdWindow::Bounds kIds{1000, std::chrono::minutes(10)};
    return {{{"radio"}, 1 << 20, 100}, {1 << 20, 1000}, kIds, {1000, 1 << 20, kIds}};
  }

  RelayStats stats;
  WeakStore store;
  Relay relay;
};

// Says, receives, settles, fails and is killed at random.
class RandomInbox {
 public:
  explicit RandomInbox(unsigned seed) : random_(seed) { begin(); }

  void step() {
    switch (below(12)) {
      case 0:
      case 1:
      case 2:
        return say();
      case 3:
      case 4:
        return publish(false);
      case 5:
        return publish(true);
      case 6:
      case 7:
        return receive();
      case 8:
        return done();
      case 9:
        return extend();
      case 10:
        return release();
      default:
        if (below(4) == 0) return begin();
        clock_.advance(seconds(below(8)));
    }
  }

  void drain() {
    publish(false);
    for (int turn = 0; turn < 1000 && model.has_waiting(); ++turn) {
      receive();
      clock_.advance(seconds(20));
      for (const std::uint64_t n : out_) settle_done(n);
      publish(false);
    }
    CHECK_FALSE(model.has_waiting());
    model.judge_end();
  }

  InboxModel model;

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  Inbox& inbox() { return relay_->relay.inbox(); }
  std::uint64_t any_number() { return 1 + below(next_number_); }

  // Also again, after a kill.
  void begin() {
    relay_.reset();
    relay_ = std::make_unique<StoredRelay>(directory_.path(), clock_);
    model.restart();
    out_.clear();
    inbox().begin_receiving();
  }

  void say() {
    const std::string sender = std::vector<std::string>{"@a", "@b", "?s", "#1"}[below(4)];
    const std::string ref = below(3) == 0 ? "" : std::to_string(below(400));
    const Said said{Said::Kind::message, 1, sender, "", ref, R"({"type":"t"})"};
    const auto fate = inbox().say(said, clock_.wall(), relay_->relay.ran());
    if (fate == Inbox::Fate::staged) model.say(sender, ref);
    CHECK(fate != Inbox::Fate::no_backend);
    ++next_number_;
  }

  void publish(bool refused) {
    relay_->store.refusing = refused;
    if (relay_->relay.publish().ok()) {
      model.keep();
    } else {
      model.take_back();
    }
  }

  // Only when nothing is staged.
  void receive() {
    publish(false);
    const Duration lease = seconds(1 + below(10));
    const auto deliveries = inbox().take({1 + below(5), 1 << 20, lease}, clock_.now());
    model.deliver(deliveries, clock_.now(), lease);
    for (const Inbox::Delivery& delivery : deliveries) out_.push_back(delivery.message->n);
  }

  void settle_done(std::uint64_t n) {
    if (inbox().done({n}).count == 1) model.done(n);
  }
  // Also in another life than that in which it was handed out.
  void done() {
    const std::vector<std::uint64_t> delivered = model.delivered();
    if (!delivered.empty()) settle_done(delivered[below(delivered.size())]);
  }
  void extend() {
    const std::uint64_t n = any_number();
    inbox().extend({n}, seconds(5), clock_.now());
    model.extend(n, clock_.now(), seconds(5));
  }
  void release() {
    const std::uint64_t n = any_number();
    inbox().release({n}, false, clock_.now());
    model.release(n);
  }

  const TemporaryDirectory directory_;
  testing::FakeClock clock_;
  std::mt19937 random_;
  std::unique_ptr<StoredRelay> relay_;
  std::vector<std::uint64_t> out_;  // numbers that were handed out in this life
  std::uint64_t next_number_ = 1;
};

TEST_CASE(
    "Whatever fails, what is acknowledged is delivered, in order, and never after it was done") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    RandomInbox random(seed);
    for (int step = 0; step < 300; ++step) random.step();
    random.drain();
    CHECK_MESSAGE(random.model.fault().empty(), seed, ": ", random.model.fault());
    CHECK(random.model.acked() > 10);
  }
}

// What a kill at this moment leaves behind: a copy of the files.
class Killed {
 public:
  Killed(const std::string& directory, const testing::FakeClock& clock) {
    std::filesystem::copy(directory, copy_.path(), std::filesystem::copy_options::recursive);
    relay_ = std::make_unique<StoredRelay>(copy_.path(), clock);
  }
  Relay& relay() { return relay_->relay; }

 private:
  const TemporaryDirectory copy_;
  std::unique_ptr<StoredRelay> relay_;
};

struct KillBench {
  KillBench() : test(directory.path(), clock) {
    test.relay.inbox().begin_receiving();
    REQUIRE(test.relay.publish().ok());
  }

  Inbox::Fate say(Relay& relay) {
    const Said said{Said::Kind::message, 7, "@a", "room:1", "r", R"({"type":"t","n":1.50})"};
    return relay.inbox().say(said, clock.wall(), relay.ran());
  }
  std::vector<std::uint64_t> take(Relay& relay) {
    std::vector<std::uint64_t> numbers;
    for (const auto& delivery : relay.inbox().take({10, 1 << 20, seconds(30)}, clock.now()))
      numbers.push_back(delivery.message->n);
    return numbers;
  }

  const TemporaryDirectory directory;
  testing::FakeClock clock;
  StoredRelay test;
};

using Numbers = std::vector<std::uint64_t>;

TEST_CASE_FIXTURE(KillBench, "Killed before its commit a message was never said, and can be") {
  CHECK(say(test.relay) == Inbox::Fate::staged);
  Killed after(directory.path(), clock);
  CHECK(take(after.relay()).empty());
  CHECK(say(after.relay()) == Inbox::Fate::staged);
  REQUIRE(after.relay().publish().ok());
  CHECK(take(after.relay()) == Numbers{1});
}

TEST_CASE_FIXTURE(KillBench, "Killed after its commit a message is there once, byte for byte") {
  CHECK(say(test.relay) == Inbox::Fate::staged);
  REQUIRE(test.relay.publish().ok());
  Killed after(directory.path(), clock);
  CHECK(say(after.relay()) == Inbox::Fate::known);
  const auto deliveries = after.relay().inbox().take({10, 1 << 20, seconds(30)}, clock.now());
  REQUIRE(deliveries.size() == 1);
  const InboxMessage& message = *deliveries.front().message;
  CHECK(deliveries.front().attempt == 1);
  CHECK(message.connection == 0);
  CHECK(message.sender == "@a");
  CHECK(message.channel == "room:1");
  CHECK(message.text == R"({"type":"t","n":1.50})");
  CHECK(message.ts.microseconds == clock.wall().microseconds);
}

TEST_CASE_FIXTURE(KillBench, "Killed before its commit a done is none: the message comes again") {
  say(test.relay);
  REQUIRE(test.relay.publish().ok());
  CHECK(take(test.relay) == Numbers{1});
  CHECK(test.relay.inbox().done({1}).count == 1);
  Killed after(directory.path(), clock);
  CHECK(take(after.relay()) == Numbers{1});
}

TEST_CASE_FIXTURE(KillBench,
                  "Killed after its commit a done holds, and its number is not used again") {
  say(test.relay);
  REQUIRE(test.relay.publish().ok());
  CHECK(take(test.relay) == Numbers{1});
  CHECK(test.relay.inbox().done({1}).count == 1);
  REQUIRE(test.relay.publish().ok());
  Killed after(directory.path(), clock);
  CHECK(take(after.relay()).empty());
  CHECK(after.relay().inbox().done({1}).count == 0);
  CHECK(say(after.relay()) == Inbox::Fate::known);
  const Said other{Said::Kind::message, 7, "@b", "", "", "{}"};
  after.relay().inbox().say(other, clock.wall(), after.relay().ran());
  REQUIRE(after.relay().publish().ok());
  CHECK(take(after.relay()) == Numbers{2});
}

TEST_CASE_FIXTURE(KillBench, "That a backend has received once is remembered") {
  Killed after(directory.path(), clock);
  CHECK(say(after.relay()) == Inbox::Fate::staged);
}

TEST_CASE("A message or a ref that is damaged or gone is named, and nothing is served") {
  const std::pair<const char*, const char*> damages[] = {
      {"UPDATE inbox SET text = CAST('{}' AS BLOB)", "message 1 (table inbox)"},
      {"UPDATE inbox SET sender = CAST('@b' AS BLOB)", "message 1 (table inbox)"},
      {"DELETE FROM inbox", "table inbox has not the rows that it had"},
      {"UPDATE refs SET records = x''", "the refs of batch 1 (table refs)"},
      {"DELETE FROM refs", "table refs has not the rows that it had"},
      {"UPDATE position SET inbox = x''", "the position (table position)"},
  };
  for (const auto& [sql, named] : damages) {
    const TemporaryDirectory directory;
    testing::FakeClock clock;
    {
      StoredRelay test(directory.path(), clock);
      test.relay.inbox().begin_receiving();
      const Said said{Said::Kind::message, 7, "@a", "", "r", "[1]"};
      test.relay.inbox().say(said, clock.wall(), test.relay.ran());
      REQUIRE(test.relay.publish().ok());
    }
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open((directory.path() + "/syncrelay.db").c_str(), &database) == SQLITE_OK);
    CHECK(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(database);
    const auto history = opened(settings(directory.path()))->load("e");
    REQUIRE_FALSE(history.ok());
    CHECK_MESSAGE(history.error().find(named) != std::string::npos, history.error());
  }
}

}  // namespace
}  // namespace syncrelay
