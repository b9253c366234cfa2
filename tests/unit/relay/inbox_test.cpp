#include "syncrelay/relay/inbox.h"

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "support/fake_clock.h"

namespace syncrelay {
namespace {

using std::chrono::seconds;

constexpr Inbox::Settings kSettings{1000, 1 << 20, {1000, std::chrono::minutes(10)}};

struct TestInbox {
  explicit TestInbox(const Inbox::Settings& settings = kSettings, bool received = true)
      : inbox(settings, stats) {
    if (!received) return;
    inbox.begin_receiving();
    inbox.keep_staged();
  }

  Inbox::Fate say(const std::string& sender, const std::string& text = "{}",
                  const std::string& ref = "") {
    return inbox.say({Said::Kind::message, 1, sender, "", ref, text}, clock.wall(),
                     clock.now() - began);
  }
  void say_and_keep(const std::string& sender, int count = 1) {
    for (int index = 0; index < count; ++index) REQUIRE(say(sender) == Inbox::Fate::staged);
    inbox.keep_staged();
  }
  // "3 4/2 ": numbers, and attempts behind the first.
  std::string take(std::size_t max = 100, Duration lease = seconds(30),
                   std::size_t bytes = 1 << 20) {
    std::string text;
    for (const Inbox::Delivery& delivery : inbox.take({max, bytes, lease}, clock.now())) {
      text += std::to_string(delivery.message->n);
      if (delivery.attempt > 1) text += '/' + std::to_string(delivery.attempt);
      text += ' ';
    }
    return text;
  }
  std::size_t done(const std::vector<std::uint64_t>& numbers) {
    const std::size_t count = inbox.done(numbers).count;
    inbox.keep_staged();
    return count;
  }

  testing::FakeClock clock;
  const TimePoint began = clock.now() - seconds(10);  // of all lives
  RelayStats stats;
  Inbox inbox;
};

TEST_CASE("Until somebody receives there is no backend, and who wants no answer is ignored") {
  TestInbox test(kSettings, false);
  CHECK(test.say("@a", "{}", "r") == Inbox::Fate::no_backend);
  CHECK(test.say("@a") == Inbox::Fate::ignored);
  CHECK_FALSE(test.inbox.has_staged());
  CHECK(test.stats.inbox_ignored.get() == 1);
  CHECK(counter(test.stats.inbox_refused, InboxRefusal::no_backend).get() == 1);
  test.inbox.begin_receiving();
  CHECK(test.inbox.has_staged());
  CHECK(test.say("@a", "{}", "r") == Inbox::Fate::staged);
}

TEST_CASE("That somebody has received stays true when it cannot be stored, and is tried again") {
  TestInbox test(kSettings, false);
  test.inbox.begin_receiving();
  test.inbox.take_back_staged();
  CHECK(test.inbox.has_staged());
  CHECK(test.inbox.staged().received);
  CHECK(test.say("@a") == Inbox::Fate::staged);
}

TEST_CASE("Nothing is handed out before it is stored, and what cannot be stored was never there") {
  TestInbox test;
  CHECK(test.say("@a", "{}", "r") == Inbox::Fate::staged);
  CHECK(test.say("@a", "{}", "r") == Inbox::Fate::known_soon);
  test.inbox.take_back_staged();
  CHECK_FALSE(test.inbox.has_next(test.clock.now()));
  CHECK(counter(test.stats.inbox_refused, InboxRefusal::storage).get() == 1);
  CHECK(test.say("@a", "{}", "r") == Inbox::Fate::staged);
  test.inbox.keep_staged();
  CHECK(test.say("@a", "{}", "r") == Inbox::Fate::known);
  CHECK(test.take() == "1 ");
  CHECK(test.stats.inbox_received.get() == 1);
}

TEST_CASE("The same ref of another sender is another message") {
  TestInbox test;
  CHECK(test.say("@a", "{}", "bc") == Inbox::Fate::staged);
  CHECK(test.say("?a", "{}", "bc") == Inbox::Fate::staged);
  CHECK(test.say("@ab", "{}", "c") == Inbox::Fate::staged);
  test.inbox.keep_staged();
  CHECK(test.say("@a", "{}", "bc") == Inbox::Fate::known);
  CHECK(test.inbox.size() == 3);
}

TEST_CASE("A ref is known for the time that the window says") {
  TestInbox test;
  CHECK(test.say("@a", "{}", "r") == Inbox::Fate::staged);
  test.inbox.keep_staged();
  test.clock.advance(std::chrono::minutes(10));
  CHECK(test.say("@a", "{}", "r") == Inbox::Fate::known);
  test.clock.advance(seconds(1));
  CHECK(test.say("@a", "{}", "r") == Inbox::Fate::staged);
}

TEST_CASE("Refs of connections without a session are not stored: their numbers come again") {
  TestInbox test;
  CHECK(test.say("#7", "{}", "r") == Inbox::Fate::staged);
  CHECK(test.inbox.staged().refs.empty());
  CHECK(test.say("?7", "{}", "r") == Inbox::Fate::staged);
  CHECK(test.inbox.staged().refs.size() == 1);
}

TEST_CASE("It is bounded by messages and by bytes, those that are out and those staged, too") {
  TestInbox test({3, 100, {10, seconds(10)}});
  test.say_and_keep("@a", 2);
  CHECK(test.take(1) == "1 ");
  CHECK(test.say("@b") == Inbox::Fate::staged);
  CHECK(test.say("@b") == Inbox::Fate::full);
  test.inbox.keep_staged();
  CHECK(test.say("@b", "{}", "r") == Inbox::Fate::full);
  CHECK(counter(test.stats.inbox_refused, InboxRefusal::inbox_full).get() == 2);
  CHECK(test.done({1}) == 1);
  CHECK(test.say("@b", '"' + std::string(100, 'x') + '"') == Inbox::Fate::full);
  CHECK(test.say("@b", "{}", "r") == Inbox::Fate::staged);
}

TEST_CASE("Of one sender nothing more goes out before all that is out is done") {
  TestInbox test;
  test.say_and_keep("@a", 4);
  CHECK(test.take(2) == "1 2 ");
  CHECK(test.take().empty());
  CHECK(test.done({1}) == 1);
  CHECK(test.take().empty());
  CHECK(test.done({2}) == 1);
  CHECK(test.take() == "3 4 ");
}

TEST_CASE("What comes again comes before what has not been out, and not beside what is") {
  TestInbox test;
  test.say_and_keep("@a", 3);
  CHECK(test.take(2) == "1 2 ");
  CHECK(test.inbox.release({1}, false, test.clock.now()).count == 1);
  CHECK(test.take().empty());
  CHECK(test.done({2}) == 1);
  CHECK(test.take() == "1/2 3 ");
  CHECK(test.stats.inbox_redelivered.get() == 1);
}

TEST_CASE("What is given back untried was no attempt") {
  TestInbox test;
  test.say_and_keep("@a", 3);
  CHECK(test.take() == "1 2 3 ");
  CHECK(test.inbox.release({1}, false, test.clock.now()).count == 1);
  CHECK(test.inbox.release({2, 3}, true, test.clock.now()).count == 2);
  CHECK(test.inbox.release({2, 3}, true, test.clock.now()).count == 0);
  CHECK(test.take() == "1/2 2 3 ");
}

TEST_CASE("A lease that ends gives all back, one that is extended does not") {
  TestInbox test;
  test.say_and_keep("@a", 2);
  test.say_and_keep("@b");
  CHECK(test.take(3, seconds(10)) == "1 2 3 ");
  CHECK(test.inbox.next_end() == test.clock.now() + seconds(10));
  test.clock.advance(seconds(9));
  CHECK(test.inbox.extend({3, 77}, seconds(10), test.clock.now()).count == 1);
  test.clock.advance(seconds(1));
  CHECK(test.take() == "1/2 2 ");
  CHECK(test.inbox.extend({1}, seconds(100), test.clock.now()).count == 1);
  test.clock.advance(seconds(9));
  CHECK(test.take() == "3/2 ");
  test.clock.advance(seconds(60));
  CHECK(test.inbox.extend({2}, seconds(100), test.clock.now()).count == 0);
}

TEST_CASE("Of a sender's messages that are lost with a worker only the first was an attempt") {
  TestInbox test;
  test.say_and_keep("@a", 3);
  test.say_and_keep("@b", 2);
  CHECK(test.take(100, seconds(1)) == "1 2 3 4 5 ");
  test.clock.advance(seconds(1));
  CHECK(test.take(100, seconds(1)) == "1/2 2 3 4/2 5 ");
  CHECK(test.done({1}) == 1);
  test.clock.advance(seconds(1));
  CHECK(test.take(100, seconds(1)) == "2/2 3 4/3 5 ");
  CHECK(test.stats.inbox_redelivered.get() == 4);
}

TEST_CASE("A message that kills each worker uses up its own attempts, not those behind it") {
  TestInbox test;
  test.say_and_keep("@a", 2);
  CHECK(test.take(100, seconds(1)) == "1 2 ");
  for (const std::string attempt : {"2", "3", "4", "5", "6"}) {
    test.clock.advance(seconds(1));
    CHECK(test.take(100, seconds(1)) == "1/" + attempt + " 2 ");
  }
  CHECK(test.done({1}) == 1);
  test.clock.advance(seconds(1));
  CHECK(test.take(100, seconds(1)) == "2/2 ");
}

TEST_CASE("Which of a sender's messages was the first does not hang on when each lease ran out") {
  TestInbox test;
  const auto extend = [&test](std::uint64_t n, int lease) {
    CHECK(test.inbox.extend({n}, seconds(lease), test.clock.now()).count == 1);
  };
  const auto advance = [&test] {
    test.clock.advance(seconds(1));
    return test.inbox.has_next(test.clock.now());
  };
  test.say_and_keep("@a", 3);

  SUBCASE("the first before the others") {
    CHECK(test.take(3, seconds(1)) == "1 2 3 ");
    extend(2, 2);
    extend(3, 3);
    CHECK_FALSE(advance());
    CHECK_FALSE(advance());
    CHECK(advance());
    CHECK(test.take() == "1/2 2 3 ");
  }
  SUBCASE("the first after the others") {
    CHECK(test.take(3, seconds(1)) == "1 2 3 ");
    extend(1, 2);
    CHECK_FALSE(advance());
    CHECK(advance());
    CHECK(test.take() == "1/2 2 3 ");
  }
  SUBCASE("the first is done after all, and then the next was begun") {
    CHECK(test.take(3, seconds(1)) == "1 2 3 ");
    extend(2, 2);
    extend(3, 2);
    CHECK_FALSE(advance());
    CHECK(test.done({1}) == 1);
    CHECK(advance());
    CHECK(test.take() == "2/2 3 ");
  }
  SUBCASE("the first has failed and is given back, and then the next was begun") {
    CHECK(test.take(3, seconds(1)) == "1 2 3 ");
    CHECK(test.inbox.release({1}, false, test.clock.now()).count == 1);
    CHECK(advance());
    CHECK(test.take() == "1/2 2/2 3 ");
  }
}

TEST_CASE("Done is done, also when the lease is over or somebody else has the message") {
  TestInbox test;
  test.say_and_keep("@a", 2);
  CHECK(test.take(1, seconds(1)) == "1 ");
  test.clock.advance(seconds(1));
  CHECK(test.take(1, seconds(1)) == "1/2 ");
  CHECK(test.done({1, 99}) == 1);
  CHECK(test.done({1}) == 0);
  CHECK(test.take() == "2 ");
  test.clock.advance(seconds(60));
  CHECK(test.inbox.has_next(test.clock.now()));
  CHECK(test.done({2}) == 1);
  CHECK_FALSE(test.inbox.has_next(test.clock.now()));
  CHECK(test.stats.inbox_done.get() == 2);
  CHECK(test.stats.inbox_messages.get() == 0);
  CHECK(test.stats.inbox_bytes.get() == 0);
  CHECK(test.stats.inbox_leased.get() == 0);
}

TEST_CASE("A done that cannot be stored has done nothing") {
  TestInbox test;
  test.say_and_keep("@a");
  CHECK(test.take(1, seconds(1)) == "1 ");
  CHECK_FALSE(test.inbox.done({1}).stored);
  CHECK(test.inbox.done({1}).count == 1);
  test.inbox.take_back_staged();
  CHECK(test.inbox.done({2}).stored);
  test.clock.advance(seconds(1));
  CHECK(test.take() == "1/2 ");
}

TEST_CASE("What a worker could not be told of has not been out") {
  TestInbox test;
  test.say_and_keep("@a", 2);
  CHECK(test.take() == "1 2 ");
  test.inbox.give_back({1, 2});
  CHECK(test.inbox.leased() == 0);
  CHECK(test.take() == "1 2 ");
}

TEST_CASE("Senders take turns, so that one who says much delays only itself") {
  TestInbox test({10'000, 1 << 20, {10, seconds(10)}});
  test.say_and_keep("@loud", 1000);
  test.say_and_keep("@quiet");
  const std::string taken = test.take(10);
  CHECK(taken == "1 2 3 4 5 6 7 8 9 1001 ");
}

TEST_CASE("An answer has as many bytes as it may, and one message in any case") {
  TestInbox test;
  for (const int size : {5000, 10, 10, 90})
    REQUIRE(test.say("@a", '"' + std::string(static_cast<std::size_t>(size), 'x') + '"') ==
            Inbox::Fate::staged);
  test.inbox.keep_staged();
  CHECK(test.take(100, seconds(1), 100) == "1 ");
  CHECK(test.done({1}) == 1);
  CHECK(test.take(100, seconds(1), 100) == "2 3 ");
}

TEST_CASE("Numbers go on over a restart, whatever was done, and what is left comes first") {
  TestInbox test;
  StoredInbox stored;
  stored.messages = {{3, 1, {}, "@a", "", "{}"}, {5, 1, {}, "@a", "", "{}"}};
  stored.refs = {{std::string("\1") + "r@a", Seq{3}, seconds(5)}};
  stored.next = 9;
  stored.received = true;
  TestInbox again(kSettings, false);
  again.inbox.restore(stored);
  CHECK(again.say("@a", "{}", "r") == Inbox::Fate::known);
  again.say_and_keep("@a");
  CHECK_FALSE(again.inbox.has_staged());
  CHECK(again.take() == "3 5 9 ");
}

TEST_CASE("What is restored has no connection: its number is another client's now") {
  StoredInbox stored;
  stored.messages = {{3, 7, {}, "@a", "", "{}"}};
  stored.next = 4;
  stored.received = true;
  TestInbox again(kSettings, false);
  again.inbox.restore(stored);
  again.say_and_keep("@b");
  const auto taken = again.inbox.take({2, 1 << 20, seconds(1)}, again.clock.now());
  REQUIRE(taken.size() == 2);
  CHECK(taken[0].message->connection == 0);
  CHECK(taken[1].message->connection == 1);
}

TEST_CASE(
    "Another inbox goes on with all that is there, also with what is out, and knows its refs") {
  TestInbox one;
  REQUIRE(one.say("ada", "{}", "r") == Inbox::Fate::staged);
  one.say_and_keep("bob", 2);
  CHECK(one.take(1) == "1 ");
  TestInbox other;
  other.inbox.restore(one.inbox.all(one.clock.now() - one.began));
  CHECK(other.say("ada", "{}", "r") == Inbox::Fate::known);
  CHECK(other.take() == "1 2 3 ");
  other.say_and_keep("eve");
  CHECK(other.take() == "4 ");
  TestInbox silent(kSettings, false);
  TestInbox next(kSettings, false);
  next.inbox.restore(silent.inbox.all(Duration::zero()));
  CHECK(next.say("ada", "{}", "r") == Inbox::Fate::no_backend);
}

TEST_CASE("Neither many messages of one sender nor many senders make a receive slow") {
  constexpr int kMany = 10'000;
  for (const bool one : {true, false}) {
    TestInbox test({10 * kMany, 1 << 30, {10, seconds(10)}});
    for (int index = 0; index < kMany; ++index)
      REQUIRE(test.say(one ? "@a" : "@" + std::to_string(index)) == Inbox::Fate::staged);
    test.inbox.keep_staged();
    const auto began = std::chrono::steady_clock::now();
    std::size_t taken = 0;
    for (int turn = 0; turn < kMany; ++turn) {
      std::vector<std::uint64_t> numbers;
      for (const auto& delivery : test.inbox.take({1, 1 << 20, seconds(1)}, test.clock.now()))
        numbers.push_back(delivery.message->n);
      taken += test.done(numbers);
    }
    CHECK(taken == kMany);
    // A look at all that waits at each turn would take minutes.
    CHECK(std::chrono::steady_clock::now() - began < seconds(10));
  }
}

TEST_CASE(
    "One sender fills a tenth of the inbox, or a hundred messages, and others have the rest") {
  for (const std::uint64_t messages : {2000U, 150U}) {
    const std::uint64_t share = messages == 2000 ? 200 : 100;
    TestInbox test({messages, 1 << 20, {1000, seconds(10)}});
    for (std::uint64_t count = 0; count < share; ++count) {
      REQUIRE(test.say("@a") == Inbox::Fate::staged);
      if (count % 7 == 0) test.inbox.keep_staged();
    }
    CHECK(test.say("@a") == Inbox::Fate::full);
    CHECK(test.say("@b") == Inbox::Fate::staged);
    CHECK(test.say("#1") == Inbox::Fate::staged);
    test.inbox.keep_staged();
    CHECK(test.say("@a", "{}", "r") == Inbox::Fate::full);
    CHECK(counter(test.stats.inbox_refused, InboxRefusal::sender_full).get() == 2);
    CHECK(counter(test.stats.inbox_refused, InboxRefusal::inbox_full).get() == 0);
    CHECK(test.take(2) == "1 " + std::to_string(share + 1) + ' ');
    CHECK(test.say("@a") == Inbox::Fate::full);
    CHECK(test.done({1}) == 1);
    CHECK(test.say("@a", "{}", "r") == Inbox::Fate::staged);
    CHECK(test.say("@a") == Inbox::Fate::full);
  }
}

TEST_CASE("One sender fills a tenth of the bytes, or has one message of any size") {
  TestInbox test({1000, 10'000, {1000, seconds(10)}});
  CHECK(test.say("@a", std::string(5000, 'x')) == Inbox::Fate::staged);
  CHECK(test.say("@a") == Inbox::Fate::full);
  for (int count = 0; count < 9; ++count)
    REQUIRE(test.say("@b", std::string(100, 'x')) == Inbox::Fate::staged);
  CHECK(test.say("@b", std::string(100, 'x')) == Inbox::Fate::full);
  CHECK(test.say("@b", std::string(50, 'x')) == Inbox::Fate::staged);
  test.inbox.keep_staged();
  CHECK(test.say("@a") == Inbox::Fate::full);
  CHECK(test.done({1}) == 1);
  CHECK(test.say("@a") == Inbox::Fate::staged);
}

TEST_CASE("What could not be stored takes no room of its sender") {
  TestInbox test({1000, 10'000, {1000, seconds(10)}});
  CHECK(test.say("@a", std::string(5000, 'x')) == Inbox::Fate::staged);
  test.inbox.take_back_staged();
  CHECK(test.say("@a") == Inbox::Fate::staged);
  test.inbox.keep_staged();
  CHECK(test.say("@a", std::string(900, 'x')) == Inbox::Fate::staged);
  test.inbox.take_back_staged();
  CHECK(test.say("@a", std::string(900, 'x')) == Inbox::Fate::staged);
}

TEST_CASE("What is restored counts for its sender") {
  TestInbox again({1000, 10'000, {1000, seconds(10)}}, false);
  StoredInbox stored;
  stored.received = true;
  stored.next = 102;
  for (std::uint64_t n = 1; n <= 101; ++n) stored.messages.push_back({n, 1, {}, "@a", "", "{}"});
  again.inbox.restore(stored);
  CHECK(again.say("@a") == Inbox::Fate::full);
  CHECK(again.say("@b") == Inbox::Fate::staged);
  CHECK(again.done({1}) == 1);
  CHECK(again.say("@a") == Inbox::Fate::full);
  CHECK(again.done({2}) == 1);
  CHECK(again.say("@a") == Inbox::Fate::staged);
}

}  // namespace
}  // namespace syncrelay
