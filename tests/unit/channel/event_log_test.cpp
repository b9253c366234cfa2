#include "syncrelay/channel/event_log.h"

#include <doctest/doctest.h>

#include <chrono>

#include "support/frame_parser.h"
#include "support/test_relay.h"
#include "syncrelay/channel/log_writer.h"

namespace syncrelay {
namespace {

using testing::make_event;

constexpr EventLog::Bounds kWide{1 << 30, 1 << 20};

// A log fed with events of given sizes, laid down in shared chunks as the relay does.
class LogBench {
 public:
  explicit LogBench(EventLog::Bounds bounds, std::uint64_t window = 0)
      : log(bounds), writer_(window) {}

  void append(const std::string& text) {
    const std::string_view piece = text;
    const LogWriter::Written written = writer_.append({&piece, 1});
    Update update;
    update.chunk = written.chunk;
    update.seq = Seq{texts_.size() + 1};
    update.position = written.position;
    update.size = written.size;
    update.accepted = TimePoint(std::chrono::seconds(texts_.size()));
    texts_.push_back(text);
    log.append(update);
  }

  // What is read from the cursor to the end, in as many runs as it takes.
  std::vector<std::string> read_all(Cursor cursor) const {
    std::string wire;
    for (;;) {
      const EventLog::Run run = log.read(cursor);
      if (run.bytes.empty()) break;
      wire.append(reinterpret_cast<const char*>(run.bytes.data()), run.bytes.size());
      cursor = run.behind;
    }
    CHECK(cursor.next == log.next());
    return testing::texts(testing::parse_messages(wire));
  }

  std::vector<std::string> texts_from(Seq seq) const {
    return {texts_.begin() + static_cast<std::ptrdiff_t>(seq.value - 1), texts_.end()};
  }

  EventLog log;

 private:
  LogWriter writer_;
  std::vector<std::string> texts_;
};

TEST_CASE("An empty log holds the position before the first event and nothing else") {
  const EventLog log(kWide);
  CHECK(log.next() == Seq{1});
  CHECK(log.first() == log.next());
  CHECK(log.holds(Seq{1}));
  CHECK_FALSE(log.holds(Seq{0}));
  CHECK_FALSE(log.holds(Seq{2}));
  CHECK(log.events() == 0);
  CHECK(log.bytes() == 0);
  CHECK(log.read(log.end()).bytes.empty());
  CHECK(log.before(Seq{1}).position == 0);
}

TEST_CASE("Events are read from any of them on, across chunks") {
  LogBench bench(kWide);
  for (int number = 0; number < 50; ++number)
    bench.append(std::string(static_cast<std::size_t>(number) * 997, 'x') + std::to_string(number));
  for (std::uint64_t seq = 1; seq <= 51; ++seq) {
    REQUIRE(bench.read_all(bench.log.before(Seq{seq})) == bench.texts_from(Seq{seq}));
  }
}

TEST_CASE("A run ends with its chunk, at an event's end") {
  LogBench bench(kWide);
  for (int number = 0; number < 20; ++number) bench.append(std::string(10'000, 'x'));
  Cursor cursor = bench.log.before(Seq{1});
  std::size_t runs = 0;
  while (cursor.next < bench.log.next()) {
    const EventLog::Run run = bench.log.read(cursor);
    CHECK(run.bytes.size() <= 64 * 1024);
    CHECK(run.bytes.size() == distance(cursor.next, run.behind.next) * 10'004);
    cursor = run.behind;
    ++runs;
  }
  CHECK(runs == 4);  // six events of 10,004 bytes go into a chunk
}

TEST_CASE("The window ends at its count of events") {
  LogBench bench({1 << 30, 5});
  for (int number = 0; number < 12; ++number) bench.append("e");
  CHECK(bench.log.events() == 5);
  CHECK(bench.log.first() == Seq{8});
  CHECK(bench.log.holds(Seq{8}));
  CHECK_FALSE(bench.log.holds(Seq{7}));
  CHECK(bench.log.holds(Seq{13}));
  CHECK_FALSE(bench.log.holds(Seq{14}));
  CHECK(bench.read_all(bench.log.before(Seq{8})).size() == 5);
}

TEST_CASE("The window ends at its count of bytes") {
  LogBench bench({1000, 1 << 20});
  for (int number = 0; number < 50; ++number) bench.append(std::string(98, 'x'));
  CHECK(bench.log.events() == 10);
  CHECK(bench.log.bytes() == 1000);
  bench.append("");
  CHECK(bench.log.bytes() == 902);
  CHECK(bench.read_all(bench.log.before(bench.log.first())).size() == 10);
}

TEST_CASE("The newest event is held, whatever its size") {
  LogBench bench({1000, 1 << 20});
  bench.append("small");
  bench.append(std::string(200'000, 'x'));
  CHECK(bench.log.events() == 1);
  CHECK(bench.log.first() == Seq{2});
  CHECK(bench.read_all(bench.log.before(Seq{2})).front().size() == 200'000);
  bench.append("small again");
  CHECK(bench.log.events() == 1);
  CHECK(bench.read_all(bench.log.before(Seq{3})) == std::vector<std::string>{"small again"});
}

TEST_CASE("A cursor is held as long as its next byte is in the window") {
  LogBench bench({1 << 30, 2});
  bench.append("a");
  const Cursor cursor = bench.log.end();
  bench.append("b");
  bench.append("c");
  CHECK(bench.log.holds(cursor));
  bench.append("d");
  CHECK_FALSE(bench.log.holds(cursor));
  CHECK(bench.log.holds(bench.log.end()));
}

TEST_CASE("The event of any byte is found") {
  LogBench bench({1 << 30, 30});
  for (std::size_t number = 0; number < 100; ++number)
    bench.append(std::string(number * 37 % 500, 'x'));
  for (Seq seq = bench.log.first(); seq < bench.log.next(); seq = seq.next()) {
    const std::uint64_t begin = bench.log.before(seq).position;
    const std::uint64_t end = bench.log.before(seq.next()).position;
    for (std::uint64_t position = begin; position < end; ++position) {
      const LoggedEvent event = bench.log.event_at(position);
      REQUIRE(event.seq == seq);
      REQUIRE(event.begin == begin);
      REQUIRE(event.end == end);
      REQUIRE((*event.chunk)->begin() <= begin);
      REQUIRE(end <= (*event.chunk)->begin() + (*event.chunk)->capacity());
    }
  }
}

TEST_CASE("The time of acceptance stays with its event") {
  LogBench bench({1 << 30, 3});
  for (int number = 0; number < 10; ++number) bench.append("e");
  for (Seq seq = bench.log.first(); seq < bench.log.next(); seq = seq.next()) {
    CHECK(bench.log.accepted(seq) == TimePoint(std::chrono::seconds(seq.value - 1)));
  }
}

TEST_CASE("Chunks that left the window are let go of") {
  EventLog log({1 << 30, 2});
  std::vector<std::weak_ptr<const LogChunk>> chunks;
  std::uint64_t position = 0;
  for (std::uint64_t seq = 1; seq <= 5; ++seq) {
    Update update = make_event(Seq{seq}, position, "event");
    chunks.emplace_back(update.chunk);
    position += update.size;
    log.append(update);
  }
  CHECK(chunks[0].expired());
  CHECK(chunks[2].expired());
  CHECK_FALSE(chunks[3].expired());
  CHECK_FALSE(chunks[4].expired());
}

TEST_CASE("What somebody waits for stays although the window moves on, up to a bound") {
  constexpr std::size_t kEvent = 1 << 20;
  EventLog log({4 * kEvent, 1000});
  Seq seq{1};
  std::uint64_t position = 0;
  const auto append = [&] {
    const Update update = testing::make_event(seq, position, std::string(kEvent, 'x'));
    log.append(update);
    position += update.size;
    seq = seq.next();
  };
  for (int count = 0; count < 6; ++count) append();
  const Seq wanted = log.first();
  log.keep_from(log.before(wanted).position);
  for (int count = 0; count < 20; ++count) append();
  CHECK(log.first() == wanted);
  CHECK(log.event_at(log.before(wanted).position).seq == wanted);
  for (int count = 0; count < 40; ++count) append();
  CHECK(log.first() > wanted);
  CHECK(log.bytes() <= 4 * kEvent + EventLog::kMaxKeptBytes);
  CHECK(log.bytes() > EventLog::kMaxKeptBytes);
  log.keep_from(EventLog::kKeepNothing);
  append();
  CHECK(log.bytes() <= 4 * kEvent);
}

}  // namespace
}  // namespace syncrelay
