#include "syncrelay/relay/notices.h"

#include <doctest/doctest.h>

#include <chrono>
#include <initializer_list>
#include <string>

#include "support/fake_clock.h"

namespace syncrelay {
namespace {

using std::chrono::seconds;

constexpr std::size_t kAll = SIZE_MAX;

WorkerEvents events(std::initializer_list<WorkerEvent> list) {
  WorkerEvents events;
  for (const WorkerEvent event : list) events.add(event);
  return events;
}

const WorkerEvents kConnections = events({WorkerEvent::connected, WorkerEvent::disconnected});
const WorkerEvents kEverything =
    events({WorkerEvent::message, WorkerEvent::connected, WorkerEvent::disconnected,
            WorkerEvent::joined, WorkerEvent::left});

struct TestNotices {
  void ask(WorkerEvents asked = kEverything) { notices.ask(asked, clock.now()); }
  void add(WorkerEvent event, std::uint64_t connection, std::size_t bytes = 0) {
    Notice notice{event, clock.wall(), clock.now(), connection};
    notice.info = std::make_shared<const std::string>(bytes, 'x');
    notices.add(std::move(notice));
  }
  void pass(Duration time) {
    clock.advance(time);
    notices.forget_unasked(clock.now());
  }
  // "connected 1 left 3".
  static std::string text(const Notices::Taken& taken) {
    std::string text;
    for (const Notices::Numbered& each : taken.notices) {
      text += (text.empty() ? "" : " ") + std::string(name(each.notice.event));
      text += ' ' + std::to_string(each.notice.connection);
    }
    return text;
  }
  std::string take(WorkerEvents wanted = kEverything, std::size_t max = kAll,
                   std::size_t bytes = kAll) {
    return text(notices.take(wanted, max, bytes));
  }

  testing::FakeClock clock;
  RelayStats stats;
  Notices notices{stats};
};

TEST_CASE("Nothing is kept that nobody asks for") {
  TestNotices test;
  CHECK(test.notices.asked().empty());
  test.add(WorkerEvent::connected, 1);
  test.notices.stage({WorkerEvent::joined});
  test.notices.keep_staged();
  test.ask();
  CHECK(test.notices.waiting().empty());
  CHECK(test.take().empty());
  test.ask(events({WorkerEvent::message}));
  CHECK(test.notices.asked() == events({WorkerEvent::connected, WorkerEvent::disconnected,
                                        WorkerEvent::joined, WorkerEvent::left}));
}

TEST_CASE("Each is handed out once, in the order in which they came, to who asks for its kind") {
  TestNotices test;
  test.ask();
  test.add(WorkerEvent::connected, 1);
  test.add(WorkerEvent::joined, 2);
  test.add(WorkerEvent::disconnected, 3);
  test.add(WorkerEvent::connected, 4);
  CHECK(test.notices.waiting() ==
        events({WorkerEvent::connected, WorkerEvent::joined, WorkerEvent::disconnected}));
  CHECK(test.take(events({WorkerEvent::left, WorkerEvent::message})).empty());
  CHECK(test.take(kConnections, 2) == "connected 1 disconnected 3");
  CHECK(test.take() == "joined 2 connected 4");
  CHECK(test.take().empty());
  CHECK(test.notices.waiting().empty());
}

TEST_CASE("Those of an answer that could not be delivered come again, in their place") {
  TestNotices test;
  test.ask();
  for (std::uint64_t connection = 1; connection <= 3; ++connection) {
    test.add(WorkerEvent::connected, connection);
    test.add(WorkerEvent::left, connection);
  }
  test.notices.add_dropped(7);
  Notices::Taken taken = test.notices.take(kEverything, 3, kAll);
  CHECK(test.text(taken) == "connected 1 left 1 connected 2");
  CHECK(taken.dropped == 7);
  test.notices.give_back(std::move(taken));
  taken = test.notices.take(kEverything, kAll, kAll);
  CHECK(test.text(taken) == "connected 1 left 1 connected 2 left 2 connected 3 left 3");
  CHECK(taken.dropped == 7);
  CHECK(test.stats.notices_dropped.get() == 7);
}

TEST_CASE("A kind is forgotten with its notices when nobody has asked for it for a minute") {
  TestNotices test;
  test.ask();
  test.add(WorkerEvent::connected, 1);
  test.add(WorkerEvent::joined, 2);
  test.pass(seconds(59));
  test.ask(events({WorkerEvent::joined}));
  test.pass(seconds(1));
  CHECK(test.notices.asked() == events({WorkerEvent::joined}));
  test.add(WorkerEvent::connected, 3);
  test.ask(kConnections);
  CHECK(test.take() == "joined 2");
  CHECK(test.stats.notices_dropped.get() == 0);
}

TEST_CASE("What is lost when it is full are the oldest, which the next who asks is told once") {
  TestNotices test;
  test.ask();
  test.add(WorkerEvent::left, 1);
  test.add(WorkerEvent::connected, 2);
  for (std::size_t count = 0; count < Notices::kMax; ++count)
    test.add(WorkerEvent::joined, 100 + count);
  CHECK(test.stats.notices_dropped.get() == 2);
  CHECK(test.notices.waiting() == events({WorkerEvent::joined}));
  CHECK(test.notices.take(events({WorkerEvent::message}), kAll, kAll).dropped == 0);
  const Notices::Taken taken = test.notices.take(kConnections, 0, 0);
  CHECK(taken.notices.empty());
  CHECK(taken.dropped == 2);
  CHECK(test.take(kEverything, 1) == "joined 100");
  CHECK(test.notices.take(kEverything, kAll, kAll).dropped == 0);
}

TEST_CASE("What is lost is bounded by bytes, too, and is not told to who asks much later") {
  TestNotices test;
  test.ask();
  constexpr std::size_t kInfo = 1024;
  for (std::uint64_t count = 0; count < 5000; ++count) test.add(WorkerEvent::joined, count, kInfo);
  const std::uint64_t lost = test.stats.notices_dropped.get();
  CHECK(lost > 0);
  CHECK((5000 - lost) * kInfo <= Notices::kMaxBytes);
  CHECK((5000 - lost + 1) * (kInfo + sizeof(Notice)) > Notices::kMaxBytes);
  CHECK(test.take(kEverything, 1) == "joined " + std::to_string(lost));
  test.notices.add_dropped(1);
  test.pass(seconds(60));
  test.ask();
  CHECK(test.notices.take(kEverything, kAll, kAll).dropped == 0);
  for (std::uint64_t count = 0; count < Notices::kMax; ++count)
    test.add(WorkerEvent::joined, count);  // all that was forgotten makes room
  CHECK(test.stats.notices_dropped.get() == lost + 1);
}

TEST_CASE("An answer has a bound in bytes") {
  TestNotices test;
  test.ask();
  for (std::uint64_t count = 0; count < 3; ++count) test.add(WorkerEvent::joined, count, 1000);
  CHECK(test.take(kEverything, kAll, 2 * (1000 + sizeof(Notice))) == "joined 0 joined 1");
}

TEST_CASE("What the batch brings is there when it is stored") {
  TestNotices test;
  test.ask();
  test.notices.stage({WorkerEvent::left, {}, {}, 1});
  CHECK(test.take().empty());
  test.notices.take_back_staged();
  test.notices.keep_staged();
  CHECK(test.take().empty());
  test.notices.stage({WorkerEvent::left, {}, {}, 2});
  test.notices.keep_staged();
  CHECK(test.take() == "left 2");
}

}  // namespace
}  // namespace syncrelay
