#include "syncrelay/channel/event_log.h"

#include <doctest/doctest.h>

#include <chrono>

#include "support/choices.h"
#include "support/frame_parser.h"
#include "support/test_relay.h"
#include "syncrelay/channel/log_writer.h"

namespace syncrelay {
namespace {

using testing::make_event;

constexpr EventLog::Bounds kWide{1 << 30, 1 << 20};

// A log fed with events of given sizes, laid down in shared chunks as the relay does. What does not
// name a channel is of the first.
class LogBench {
 public:
  explicit LogBench(EventLog::Bounds bounds, std::uint64_t window = 0, std::size_t channels = 1)
      : log(bounds), channels(channels), writer_(window), texts_(channels) {}

  void append(const std::string& text, std::size_t to = 0) {
    add(text, to);
    log.end_step();
  }

  // A part of a step that end_step() ends.
  void add(const std::string& text, std::size_t to) {
    const std::string_view piece = text;
    const LogWriter::Written written = writer_.append({&piece, 1});
    Update update;
    update.chunk = written.chunk;
    update.seq = channels[to].next();
    update.position = written.position;
    update.size = written.size;
    update.accepted = TimePoint(std::chrono::seconds(appended_++));
    texts_[to].push_back(text);
    log.append(channels[to], update);
  }

  // What is read from the event to the end, in as many runs as it takes.
  std::vector<std::string> read_all(Seq from, std::size_t of = 0) const {
    std::string wire;
    for (;;) {
      const Run run = channels[of].read(from);
      if (run.bytes().empty()) break;
      wire.append(reinterpret_cast<const char*>(run.bytes().data()), run.bytes().size());
      from = run.behind;
    }
    CHECK(from == channels[of].next());
    return testing::texts(testing::parse_messages(wire));
  }

  std::vector<std::string> texts_from(Seq seq, std::size_t of = 0) const {
    return {texts_[of].begin() + static_cast<std::ptrdiff_t>(seq.value - 1), texts_[of].end()};
  }

  std::vector<TimePoint> accepted_between(std::uint64_t from, std::uint64_t to) const {
    std::vector<TimePoint> times;
    log.for_each_accepted(from, to, [&](TimePoint time) { times.push_back(time); });
    return times;
  }

  EventLog log;
  std::vector<ChannelLog> channels;
  ChannelLog& channel = channels[0];

 private:
  LogWriter writer_;
  std::vector<std::vector<std::string>> texts_;
  int appended_ = 0;
};

TEST_CASE("An empty log holds the position before the first event and nothing else") {
  const EventLog log(kWide);
  const ChannelLog channel;
  CHECK(channel.next() == Seq{1});
  CHECK(channel.first() == channel.next());
  CHECK(channel.holds(Seq{1}));
  CHECK_FALSE(channel.holds(Seq{0}));
  CHECK_FALSE(channel.holds(Seq{2}));
  CHECK(channel.read(Seq{1}).bytes().empty());
  CHECK(channel.events() == 0);
  CHECK(log.events() == 0);
  CHECK(log.bytes() == 0);
  CHECK(log.end() == 0);
}

TEST_CASE("Events are read from any of them on, across chunks") {
  LogBench bench(kWide);
  for (int number = 0; number < 50; ++number)
    bench.append(std::string(static_cast<std::size_t>(number) * 997, 'x') + std::to_string(number));
  for (std::uint64_t seq = 1; seq <= 51; ++seq) {
    REQUIRE(bench.read_all(Seq{seq}) == bench.texts_from(Seq{seq}));
  }
}

TEST_CASE("A run ends with its chunk, at an event's end") {
  LogBench bench(kWide);
  for (int number = 0; number < 20; ++number) bench.append(std::string(10'000, 'x'));
  Seq next{1};
  std::size_t runs = 0;
  while (next < bench.channel.next()) {
    const Run run = bench.channel.read(next);
    CHECK(run.bytes().size() <= 64 * 1024);
    CHECK(run.bytes().size() == distance(next, run.behind) * 10'004);
    next = run.behind;
    ++runs;
  }
  CHECK(runs == 4);  // six events of 10,004 bytes go into a chunk
}

TEST_CASE("The window ends at its count of events") {
  LogBench bench({1 << 30, 5});
  for (int number = 0; number < 12; ++number) bench.append("e");
  CHECK(bench.log.events() == 5);
  CHECK(bench.channel.first() == Seq{8});
  CHECK(bench.channel.holds(Seq{8}));
  CHECK_FALSE(bench.channel.holds(Seq{7}));
  CHECK(bench.channel.holds(Seq{13}));
  CHECK_FALSE(bench.channel.holds(Seq{14}));
  CHECK(bench.read_all(Seq{8}).size() == 5);
}

TEST_CASE("The window ends at its count of bytes") {
  LogBench bench({1000, 1 << 20});
  for (int number = 0; number < 50; ++number) bench.append(std::string(98, 'x'));
  CHECK(bench.log.events() == 10);
  CHECK(bench.log.bytes() == 1000);
  bench.append("");
  CHECK(bench.log.bytes() == 902);
  CHECK(bench.read_all(bench.channel.first()).size() == 10);
}

TEST_CASE("The newest event is held, whatever its size") {
  LogBench bench({1000, 1 << 20});
  bench.append("small");
  bench.append(std::string(200'000, 'x'));
  CHECK(bench.log.events() == 1);
  CHECK(bench.channel.first() == Seq{2});
  CHECK(bench.read_all(Seq{2}).front().size() == 200'000);
  bench.append("small again");
  CHECK(bench.log.events() == 1);
  CHECK(bench.read_all(Seq{3}) == std::vector<std::string>{"small again"});
}

TEST_CASE("A reader has all it wants as long as its next event is in the window") {
  LogBench bench({1 << 30, 2});
  bench.append("a");
  const Seq next = bench.channel.next();
  bench.append("b");
  bench.append("c");
  CHECK(bench.channel.holds(next));
  bench.append("d");
  CHECK_FALSE(bench.channel.holds(next));
  CHECK(bench.channel.holds(bench.channel.next()));
}

TEST_CASE("The event of any byte is found") {
  LogBench bench({1 << 30, 30});
  for (std::size_t number = 0; number < 100; ++number)
    bench.append(std::string(number * 37 % 500, 'x'));
  const ChannelLog& channel = bench.channel;
  for (Seq seq = channel.first(); seq < channel.next(); seq = seq.next()) {
    const std::uint64_t begin = channel.begin_of(seq);
    const std::uint64_t end =
        seq.next() == channel.next() ? bench.log.end() : channel.begin_of(seq.next());
    for (std::uint64_t position = begin; position < end; ++position) {
      const LoggedEvent event = channel.event_at(position);
      REQUIRE(event.seq == seq);
      REQUIRE(event.begin == begin);
      REQUIRE(event.end == end);
      REQUIRE(event.chunk->begin() <= begin);
      REQUIRE(end <= event.chunk->begin() + event.chunk->capacity());
      REQUIRE(bench.log.chunk_of(event).get() == event.chunk);
    }
  }
}

TEST_CASE("The times of acceptance are those of the events in a part of the log") {
  LogBench bench({1 << 30, 3});
  for (int number = 0; number < 10; ++number) bench.append("e");
  const auto time = [](int number) { return TimePoint(std::chrono::seconds(number)); };
  CHECK(bench.accepted_between(0, bench.log.end()) ==
        std::vector<TimePoint>{time(7), time(8), time(9)});
  const std::uint64_t middle = bench.channel.begin_of(Seq{9});
  CHECK(bench.accepted_between(middle, bench.log.end()) ==
        std::vector<TimePoint>{time(8), time(9)});
  CHECK(bench.accepted_between(0, middle) == std::vector<TimePoint>{time(7)});
  CHECK(bench.accepted_between(bench.log.end(), bench.log.end()).empty());
}

TEST_CASE("Chunks that left the window are let go of") {
  EventLog log({1 << 30, 2});
  ChannelLog channel;
  std::vector<std::weak_ptr<const LogChunk>> chunks;
  std::uint64_t position = 0;
  for (std::uint64_t seq = 1; seq <= 5; ++seq) {
    Update update = make_event(Seq{seq}, position, "event");
    chunks.emplace_back(update.chunk);
    position += update.size;
    log.append(channel, update);
    log.end_step();
  }
  CHECK(chunks[0].expired());
  CHECK(chunks[2].expired());
  CHECK_FALSE(chunks[3].expired());
  CHECK_FALSE(chunks[4].expired());
}

TEST_CASE("What somebody waits for stays although the window moves on, up to a bound") {
  constexpr std::size_t kEvent = 1 << 20;
  EventLog log({4 * kEvent, 1000});
  ChannelLog channel;
  Seq seq{1};
  std::uint64_t position = 0;
  const auto append = [&] {
    const Update update = testing::make_event(seq, position, std::string(kEvent, 'x'));
    log.append(channel, update);
    log.end_step();
    position += update.size;
    seq = seq.next();
  };
  for (int count = 0; count < 6; ++count) append();
  const Seq wanted = channel.first();
  log.keep_from(channel.begin_of(wanted));
  for (int count = 0; count < 20; ++count) append();
  CHECK(channel.first() == wanted);
  CHECK(channel.event_at(channel.begin_of(wanted)).seq == wanted);
  for (int count = 0; count < 40; ++count) append();
  CHECK(channel.first() > wanted);
  CHECK(log.bytes() <= 4 * kEvent + EventLog::kMaxKeptBytes);
  CHECK(log.bytes() > EventLog::kMaxKeptBytes);
  log.keep_from(EventLog::kKeepNothing);
  append();
  CHECK(log.bytes() <= 4 * kEvent);
}

TEST_CASE(
    "Channels share one window: each reads its own events, however they lie between others'") {
  LogBench bench({1 << 30, 200}, 0, 5);
  testing::SeededChoices choices(3);
  for (int number = 0; number < 1'000; ++number)
    bench.append(std::string(choices.below(3'000), 'x') + std::to_string(number),
                 choices.below(5) * choices.below(2));
  CHECK(bench.log.events() == 200);
  std::size_t events = 0;
  for (std::size_t of = 0; of < 5; ++of) {
    const ChannelLog& channel = bench.channels[of];
    events += channel.events();
    for (Seq seq = channel.first(); seq <= channel.next(); seq = seq.next())
      REQUIRE(bench.read_all(seq, of) == bench.texts_from(seq, of));
  }
  CHECK(events == 200);
}

TEST_CASE("What one channel gets in a row is one run; another's event ends it") {
  LogBench bench(kWide, 0, 2);
  for (int number = 0; number < 10; ++number) bench.append("a");
  bench.append("b", 1);
  for (int number = 0; number < 10; ++number) bench.append("a");
  const Run first = bench.channel.read(Seq{3});
  CHECK(first.behind == Seq{11});
  const Run other = bench.channels[1].read(Seq{1});
  CHECK(other.begin == first.end);
  const Run second = bench.channel.read(first.behind);
  CHECK(second.begin == other.end);
  CHECK(second.behind == Seq{21});
  CHECK(second.chunk == first.chunk);
}

TEST_CASE("A run ends where it is told to") {
  LogBench bench(kWide);
  for (int number = 0; number < 10; ++number) bench.append("a");
  const std::uint64_t limit = bench.channel.begin_of(Seq{7});
  CHECK(bench.channel.read(Seq{2}, limit).behind == Seq{7});
  CHECK(bench.channel.read(Seq{2}, limit).end == limit);
  CHECK(bench.channel.read(Seq{7}, limit).bytes().empty());
  CHECK(bench.channel.read(Seq{8}, limit).behind == Seq{8});
}

TEST_CASE("The newest step is held whole, whatever its size") {
  LogBench bench({1000, 3}, 0, 2);
  bench.append("old");
  for (int number = 0; number < 20; ++number)
    bench.add(std::string(100, 'x'), static_cast<std::size_t>(number) % 2);
  bench.log.end_step();
  CHECK(bench.log.events() == 20);
  CHECK(bench.channels[0].first() == Seq{2});
  bench.log.end_step();  // of a step without an event
  CHECK(bench.log.events() == 20);
  bench.append("new");
  CHECK(bench.log.events() == 3);
}

TEST_CASE("A channel that is dropped leaves the window to the others, and its numbers go on") {
  LogBench bench({1 << 30, 100}, 0, 3);
  for (int number = 0; number < 300; ++number)
    bench.append(std::to_string(number), static_cast<std::size_t>(number) % 3);
  const std::uint64_t others = bench.channels[0].events() + bench.channels[2].events();
  bench.log.drop(bench.channels[1]);
  CHECK(bench.log.events() == others);
  CHECK(bench.channels[1].events() == 0);
  CHECK(bench.channels[1].next() == Seq{101});
  CHECK(bench.accepted_between(0, bench.log.end()).size() == others);
  for (int number = 0; number < 500; ++number) {
    bench.append(std::to_string(number), static_cast<std::size_t>(number) % 2 * 2);
    for (const std::size_t of : {0, 2}) {
      const Seq first = bench.channels[of].first();
      REQUIRE(bench.read_all(first, of) == bench.texts_from(first, of));
    }
  }
  CHECK(bench.log.events() == 100);
  bench.log.drop(bench.channels[0]);
  bench.log.drop(bench.channels[2]);
  CHECK(bench.log.events() == 0);
  CHECK(bench.log.bytes() == 0);
  bench.append("again", 1);
  CHECK(bench.log.events() == 1);
}

TEST_CASE("A dropped channel lets go of chunks that are its own") {
  EventLog log(kWide);
  ChannelLog left;
  ChannelLog right;
  const Update first = make_event(Seq{1}, 0, "event");
  const Update second = make_event(Seq{1}, first.size, "event");
  const std::weak_ptr<const LogChunk> chunk = first.chunk;
  log.append(left, first);
  log.append(right, second);
  log.end_step();
  const long others = chunk.use_count() - 1;
  log.drop(left);
  CHECK(chunk.use_count() == others);
}

TEST_CASE("Dropping and beginning again for ever holds no more than a window") {
  LogBench bench({100'000, 50}, 100'000, 2);
  for (int round = 0; round < 2'000; ++round) {
    bench.append("stays", 0);
    for (int number = 0; number < 5; ++number) bench.append(std::string(500, 'x'), 1);
    bench.log.drop(bench.channels[1]);
    REQUIRE(bench.log.bytes() <= 100'000);
    REQUIRE(bench.log.events() <= 50);
  }
}

}  // namespace
}  // namespace syncrelay
