// A session whose client has negotiated permessage-deflate sees what any other sees, whatever its
// connection takes.

#include <doctest/doctest.h>

#include <random>

#include "support/session_bench.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

using testing::SessionBench;
using Texts = std::vector<std::string>;

std::string digits(std::size_t size) {
  std::mt19937 generator(static_cast<std::uint32_t>(size));
  std::string text(size, '0');
  for (char& c : text) c = static_cast<char>('0' + generator() % 10);
  return text;
}

class DeflateBench : public SessionBench {
 public:
  using SessionBench::SessionBench;

  void say(std::size_t size, const std::string& channel = {}) {
    const std::string where = channel.empty() ? "" : R"("channel":")" + channel + "\",";
    send(R"({"op":"broadcast",)" + where + R"("type":"e","data":")" + digits(size) + "\"}");
  }
};

ClientRequest request(bool deflates, const std::vector<std::string>& channels = {""}) {
  ClientRequest wishes;
  wishes.deflates = deflates;
  wishes.subscriptions.clear();
  for (const std::string& channel : channels) wishes.subscriptions.push_back({channel});
  return wishes;
}

struct Seen {
  Texts texts;
  std::size_t bytes = 0;
};

// Events of these sizes for a client that takes `first` bytes at once, and the rest later.
Seen see(const std::vector<std::size_t>& sizes, bool deflates, std::size_t first = SIZE_MAX) {
  DeflateBench bench({4 << 20, 1000});
  bench.join(request(deflates));
  const std::size_t before = bench.transport.bytes();
  bench.transport.take_in_all(first);
  for (const std::size_t size : sizes) bench.say(size);
  bench.session->pump();
  CHECK(bench.transport.between_frames());
  Seen seen{bench.drain(), 0};
  seen.bytes = bench.transport.bytes() - before;
  CHECK(bench.transport.fault() == "");
  CHECK(bench.session->idle());
  CHECK(bench.stats.frames_sent.get() == 1 + sizes.size());
  CHECK(bench.stats.bytes_sent.get() == bench.transport.bytes());
  return seen;
}

TEST_CASE("A connection may stop at every byte of deflated and short messages") {
  const std::vector<std::size_t> sizes = {0, 300, 1, 160, 161, 3, 700};
  const Texts expected = see(sizes, false).texts;
  const Seen whole = see(sizes, true);
  REQUIRE(whole.texts == expected);
  REQUIRE(whole.bytes < see(sizes, false).bytes);
  for (std::size_t first = 0; first <= whole.bytes; ++first) {
    CAPTURE(first);
    REQUIRE(see(sizes, true, first).texts == expected);
  }
}

TEST_CASE("A connection may stop around every boundary of a long deflated message") {
  const std::vector<std::size_t> sizes = {200, 300'000, 200};
  const Texts expected = see(sizes, false).texts;
  const Seen whole = see(sizes, true);
  constexpr std::size_t kFrame = kFragmentBytes + 4;
  REQUIRE(whole.bytes > 2 * kFrame);
  REQUIRE(whole.bytes < 200'000);
  const std::size_t long_one = see({200}, true).bytes;
  for (const std::size_t boundary :
       {long_one, long_one + kFrame, long_one + 2 * kFrame, whole.bytes}) {
    for (std::size_t first = boundary - 6; first <= boundary + 6; ++first) {
      CAPTURE(first);
      REQUIRE(see(sizes, true, first).texts == expected);
    }
  }
}

TEST_CASE("A long deflated message is ended although its chunk has left the window") {
  DeflateBench bench({256 * 1024, 1000});
  bench.join(request(true));
  bench.transport.take_in_all(70'000);
  bench.say(300'000);
  bench.session->pump();
  REQUIRE(bench.session->held_chunk() != nullptr);
  for (int count = 0; count < 5; ++count) bench.say(300'000);
  const Texts texts = bench.drain();
  REQUIRE(texts.size() == 2);
  CHECK(texts.front().size() > 300'000);
  CHECK(texts.back().find("\"skipped\":5") != std::string::npos);
  CHECK(bench.session->held_chunk() == nullptr);
  CHECK(bench.transport.fault() == "");
}

// Several channels in turn, for a client that takes a little at a time.
Texts see_channels(bool deflates, std::size_t at_once) {
  DeflateBench bench;
  const std::vector<std::string> names = {"", "room:a", "room:b"};
  bench.join(request(deflates, names));
  bench.transport.take_at_most(at_once);
  for (std::size_t number = 0; number < 40; ++number) {
    bench.say(number * 37 % 500, names[number * 7 % 3]);
    if (number % 9 == 0) bench.session->pump();
  }
  bench.pump();
  while (bench.transport.waits()) {
    bench.transport.become_writable(*bench.session);
    bench.pump();
  }
  CHECK(bench.transport.fault() == "");
  CHECK(bench.session->idle());
  CHECK(bench.stats.frames_sent.get() == 3 + 40);
  return bench.transport.take_texts();
}

TEST_CASE("A client of several channels gets them in the order of the log") {
  const Texts expected = see_channels(false, SIZE_MAX);
  REQUIRE(expected.size() == 40);
  for (const std::size_t at_once : {std::size_t{SIZE_MAX}, std::size_t{1}, std::size_t{100},
                                    std::size_t{333}, std::size_t{2000}}) {
    CAPTURE(at_once);
    REQUIRE(see_channels(true, at_once) == expected);
  }
}

// The first message of a client of a channel with a state of this size, which takes `first` bytes
// at once.
Seen see_snapshot(std::size_t state, bool deflates, std::size_t first = SIZE_MAX) {
  DeflateBench bench({4 << 20, 1000});
  bench.send(R"({"op":"set","notify":false,"key":"radio","value":")" + digits(state) + "\"}");
  bench.transport.take_in_all(first);
  bench.connect(request(deflates));
  bench.say(200);
  bench.pump();
  CHECK(bench.transport.between_frames());
  Seen seen{bench.drain(), 0};
  seen.bytes = bench.transport.bytes();
  CHECK(bench.transport.fault() == "");
  return seen;
}

TEST_CASE("A snapshot is deflated, small or large, wherever the connection stops") {
  for (const std::size_t state : {std::size_t{1000}, std::size_t{300'000}}) {
    const Texts expected = see_snapshot(state, false).texts;
    const Seen whole = see_snapshot(state, true);
    REQUIRE(expected.size() == 2);
    REQUIRE(whole.texts == expected);
    REQUIRE(whole.bytes < state * 6 / 10 + 300);
    const std::size_t step = whole.bytes / 200 + 1;
    for (std::size_t first = 0; first <= whole.bytes; first += step) {
      CAPTURE(first);
      REQUIRE(see_snapshot(state, true, first).texts == expected);
    }
  }
}

TEST_CASE("What is short goes as it is") {
  DeflateBench bench;
  bench.connect(request(true));
  bench.say(3);
  bench.ask();
  for (const testing::WireMessage& message : bench.transport.take_messages())
    CHECK_FALSE(message.deflated);
}

TEST_CASE("Beyond what is deflated in a turn events go as they are, in the same order") {
  DeflateBench bench({8 << 20, 10'000});
  bench.join(request(true));
  for (int count = 0; count < 30; ++count) bench.say(60'000);
  const Texts texts = bench.received();
  REQUIRE(texts.size() == 30);
  CHECK(bench.stats.deflated_events.get() == Deflation::kBytesPerTurn / 60'000 + 1);
  CHECK(bench.stats.undeflated_events.get() > 0);
  bench.deflation.begin_turn();
  bench.say(60'000);
  CHECK(bench.received().size() == 1);
  CHECK(bench.stats.deflated_events.get() == Deflation::kBytesPerTurn / 60'000 + 2);
}

}  // namespace
}  // namespace syncrelay
