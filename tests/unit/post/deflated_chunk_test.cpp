#include "syncrelay/post/deflated_chunk.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include "support/choices.h"
#include "support/frame_parser.h"
#include "syncrelay/post/log_chunk.h"
#include "syncrelay/protocol/frame.h"

namespace syncrelay {
namespace {

using testing::Choices;
using testing::SeededChoices;

constexpr std::uint64_t kBegin = 1'000'000;  // the chunk's place in the log

// Text that deflates to about half.
std::string letters(std::size_t size, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>('a' + generator() % 8);
  return text;
}

std::string noise(std::size_t size, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>(' ' + generator() % 94);
  return text;
}

// A chunk with these events, and where they are.
class Bench {
 public:
  explicit Bench(std::size_t capacity = 1 << 20) : chunk(kBegin, capacity) {
    ends.push_back(kBegin);
  }

  void append(const std::string& text) {
    std::byte* const place = chunk.at(ends.back() - kBegin);
    MessageWriter(place, text.size()).write(text);
    texts.push_back(text);
    ends.push_back(ends.back() + wire_size(text.size()));
  }

  WireRun run(std::size_t first, std::size_t last, Deflating& work) const {
    return chunk.deflated().run(chunk, ends[first], ends[last], work);
  }
  WireRun run(std::size_t first, std::size_t last, std::size_t bytes = SIZE_MAX) {
    Deflating work{deflater, bytes};
    return run(first, last, work);
  }
  std::size_t index_of(std::uint64_t position) const {
    return static_cast<std::size_t>(std::lower_bound(ends.begin(), ends.end(), position) -
                                    ends.begin());
  }

  // The texts of all that runs give for these events, in `sends` of them.
  std::vector<std::string> read(std::size_t first, std::size_t last, Deflating& work,
                                std::size_t* sends = nullptr) const {
    testing::FrameParser parser;
    parser.inflate();
    while (first < last) {
      const WireRun got = run(first, last, work);
      parser.feed(as_text(got.bytes));
      REQUIRE(parser.between_messages());
      REQUIRE(ends[index_of(got.behind)] == got.behind);
      REQUIRE(index_of(got.behind) > first);
      first = index_of(got.behind);
      if (sends != nullptr) ++*sends;
    }
    REQUIRE(parser.error() == "");
    return testing::texts(parser.take_messages());
  }
  std::vector<std::string> expected(std::size_t first, std::size_t last) const {
    return {texts.begin() + static_cast<std::ptrdiff_t>(first),
            texts.begin() + static_cast<std::ptrdiff_t>(last)};
  }

  LogChunk chunk;
  Deflater deflater;
  std::vector<std::string> texts;
  std::vector<std::uint64_t> ends;  // positions; event i lies from ends[i] to ends[i + 1]
};

TEST_CASE("Events are laid down once, and any part of what is together is one run") {
  Bench bench;
  for (std::uint32_t number = 0; number < 20; ++number) bench.append(letters(500, number));
  Deflating work{bench.deflater, SIZE_MAX};
  const WireRun all = bench.run(0, 20, work);
  CHECK(all.behind == bench.ends[20]);
  CHECK(all.deflated);
  CHECK(all.bytes.size() < 20 * 300);
  CHECK(work.events == 20);
  CHECK(work.wire_bytes == all.bytes.size());
  const WireRun part = bench.run(7, 12, work);
  CHECK(work.events == 20);
  CHECK(part.bytes.data() > all.bytes.data());
  CHECK(part.bytes.data() + part.bytes.size() < all.bytes.data() + all.bytes.size());
  CHECK(bench.read(7, 12, work) == bench.expected(7, 12));
}

TEST_CASE("Short events go as they lie in the log where they are alone") {
  Bench bench;
  for (int number = 0; number < 10; ++number) bench.append("short");
  const WireRun run = bench.run(2, 8);
  CHECK_FALSE(run.deflated);
  CHECK(run.bytes.data() == bench.chunk.read(bench.ends[2], bench.ends[3]).data());
  CHECK(run.behind == bench.ends[8]);
  CHECK(bench.chunk.deflated().bytes() == 0);
}

TEST_CASE("Short events, and those that get no shorter, stay together with deflated ones") {
  Bench bench;
  for (std::uint32_t number = 0; number < 5; ++number) {
    bench.append("short");
    bench.append(letters(400, number));
    bench.append(noise(200, number));
  }
  for (std::size_t each = 0; each < 15; ++each) bench.run(each, each + 1);
  Deflating work{bench.deflater, SIZE_MAX};
  std::size_t sends = 0;
  CHECK(bench.read(1, 15, work, &sends) == bench.expected(1, 15));
  CHECK(sends == 1);
  CHECK(work.events == 0);
}

TEST_CASE("What was needed in another order takes more runs, and nothing twice") {
  Bench bench;
  for (std::uint32_t number = 0; number < 9; ++number) bench.append(letters(500, number));
  Deflating work{bench.deflater, SIZE_MAX};
  bench.run(6, 9, work);
  bench.run(0, 3, work);
  std::size_t sends = 0;
  CHECK(bench.read(0, 9, work, &sends) == bench.expected(0, 9));
  CHECK(sends == 2);
  CHECK(work.events == 9);
}

TEST_CASE("It holds half of its chunk at most, and what is beyond goes as it is") {
  Bench bench(100'000);
  std::uint32_t count = 0;
  for (; bench.ends.back() + 1010 < kBegin + 100'000; ++count) bench.append(noise(1000, count));
  Deflating work{bench.deflater, SIZE_MAX};
  CHECK(bench.read(0, count, work) == bench.expected(0, count));
  CHECK(bench.chunk.deflated().bytes() <= 50'000);
  CHECK(bench.chunk.deflated().bytes() > 48'000);
  CHECK(work.events_left > 30);
  const std::uint64_t left = work.bytes_left;
  CHECK(bench.read(0, count, work) == bench.expected(0, count));
  CHECK(work.bytes_left == left);
}

TEST_CASE("Where no more may be deflated now, events go as they are, and later deflated") {
  Bench bench;
  for (std::uint32_t number = 0; number < 20; ++number) bench.append(letters(1000, number));
  Deflating work{bench.deflater, 5000};
  CHECK(bench.read(0, 20, work) == bench.expected(0, 20));
  CHECK(work.events == 5);
  CHECK(work.events_left == 15);
  Deflating more{bench.deflater, SIZE_MAX};
  std::size_t sends = 0;
  CHECK(bench.read(0, 20, more, &sends) == bench.expected(0, 20));
  CHECK(more.events == 15);
  CHECK(sends == 1);
}

// Each look at it finds a millisecond gone.
class RunningClock final : public Clock {
 public:
  TimePoint now() const override { return now_ += std::chrono::milliseconds(1); }
  WallTime wall() const override { return {}; }

 private:
  mutable TimePoint now_{};
};

TEST_CASE("Where deflating takes too long, the events behind go as they are, and later deflated") {
  Bench bench;
  for (std::uint32_t number = 0; number < 20; ++number) bench.append(letters(1000, number));
  const RunningClock clock;
  Deflating work{bench.deflater, SIZE_MAX, &clock, std::chrono::milliseconds(5)};
  CHECK(bench.read(0, 20, work) == bench.expected(0, 20));
  CHECK(work.events == 5);
  CHECK(work.events_left == 15);
  Deflating more{bench.deflater, SIZE_MAX, &clock, std::chrono::seconds(1)};
  CHECK(bench.read(0, 20, more) == bench.expected(0, 20));
  CHECK(more.events == 15);
}

TEST_CASE("An event may be long, and goes as it is when it is very long") {
  Bench bench(8 << 20);
  bench.append(letters(500'000, 1));
  bench.append(letters(DeflatedChunk::kMostEventBytes + 1, 2));
  bench.append(letters(500, 3));
  Deflating work{bench.deflater, SIZE_MAX};
  CHECK(bench.read(0, 3, work) == bench.expected(0, 3));
  CHECK(work.events == 2);
  const WireRun first = bench.run(0, 1);
  CHECK((first.bytes.front() & std::byte{0x40}) == std::byte{0x40});
  CHECK(first.bytes.size() > 150'000);
}

TEST_CASE("The event is found that any byte belongs to") {
  Bench bench;
  for (std::uint32_t number = 0; number < 6; ++number) bench.append(letters(170 + number, number));
  bench.run(3, 6);
  bench.run(0, 3);
  for (std::size_t each = 0; each < 6; ++each) {
    const WireRun run = bench.run(each, each + 1);
    for (std::size_t at = 0; at < run.bytes.size(); ++at) {
      const auto found = bench.chunk.deflated().event_at(bench.chunk, run.bytes.data() + at);
      REQUIRE(found.position == bench.ends[each]);
      REQUIRE(found.bytes.data() == run.bytes.data());
      REQUIRE(found.bytes.size() == run.bytes.size());
    }
  }
}

std::string some_event(Choices& choices) {
  const std::uint32_t seed = choices.below(1 << 16);
  if (choices.one_in(3)) return letters(choices.below(140), seed);
  if (choices.one_in(40)) return letters(60'000 + choices.below(20'000), seed);
  return choices.one_in(4) ? noise(choices.below(900), seed) : letters(choices.below(1500), seed);
}

void need_some(const Bench& bench, std::uint32_t seed) {
  SeededChoices choices(seed);
  Deflater deflater;
  const auto count = static_cast<std::uint32_t>(bench.texts.size());
  for (int round = 0; round < 40; ++round) {
    const std::uint32_t first = choices.below(count);
    const std::uint32_t last = first + 1 + choices.below(count - first);
    Deflating work{deflater, choices.below(30'000)};
    REQUIRE(bench.read(first, last, work) == bench.expected(first, last));
  }
}

TEST_CASE("Whatever is needed in whatever order by several threads, it is what was said") {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    SeededChoices choices(seed);
    Bench bench(100'000 + choices.below(400'000));
    for (std::string text = some_event(choices);
         bench.ends.back() + wire_size(text.size()) <= kBegin + bench.chunk.capacity();
         text = some_event(choices))
      bench.append(text);
    std::vector<std::thread> threads;
    for (std::uint32_t thread = 0; thread < 3; ++thread)
      threads.emplace_back([&bench, seed, thread] { need_some(bench, 3 * seed + thread); });
    for (std::thread& thread : threads) thread.join();
    CHECK(bench.chunk.deflated().bytes() <= bench.chunk.capacity() / 2);
  }
}

}  // namespace
}  // namespace syncrelay
