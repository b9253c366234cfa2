// A connection may take any number of bytes. Whatever it takes, what the client sees is the same.

#include <doctest/doctest.h>

#include "support/session_bench.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

using testing::SessionBench;
using Texts = std::vector<std::string>;

// Connects, then sends events of these sizes; the first `taken` bytes go out at once, the rest
// later.
class ShortWrite {
 public:
  ShortWrite(std::size_t state_bytes, std::vector<std::size_t> sizes) : sizes_(std::move(sizes)) {
    if (state_bytes > 0)
      bench_.send(R"({"op":"set","notify":false,"key":"radio","value":")" +
                  std::string(state_bytes, 'r') + "\"}");
  }

  Texts run(std::size_t taken) {
    bench_.transport.take_in_all(taken);
    bench_.connect();
    for (const std::size_t size : sizes_) bench_.broadcast(size);
    bench_.session->pump();
    CHECK(bench_.transport.between_frames());
    const Texts all = bench_.drain();
    CHECK(bench_.transport.fault() == "");
    CHECK(bench_.session->idle());
    CHECK(bench_.stats.frames_sent.get() == all.size());
    CHECK(bench_.stats.bytes_sent.get() == bench_.transport.bytes());
    return all;
  }

  std::size_t bytes() const { return bench_.transport.bytes(); }

 private:
  SessionBench bench_;
  std::vector<std::size_t> sizes_;
};

TEST_CASE("A connection may stop at every byte of small messages") {
  const std::vector<std::size_t> sizes = {0, 1, 70, 71, 72, 150, 3};
  ShortWrite whole(0, sizes);
  const Texts expected = whole.run(SIZE_MAX);
  REQUIRE(expected.size() == 1 + sizes.size());
  for (std::size_t taken = 0; taken <= whole.bytes(); ++taken) {
    CAPTURE(taken);
    REQUIRE(ShortWrite(0, sizes).run(taken) == expected);
  }
}

TEST_CASE("A connection may stop around every boundary of long messages") {
  const std::vector<std::size_t> sizes = {10, 140'000, 10};
  ShortWrite whole(150'000, sizes);
  const Texts expected = whole.run(SIZE_MAX);
  REQUIRE(expected.size() == 4);
  constexpr std::size_t kFrame = kFragmentBytes + 4;
  const std::size_t snapshot = 150'000 + 3 * 4;
  for (const std::size_t boundary :
       {kFrame, 2 * kFrame, snapshot, snapshot + 100, snapshot + 200, snapshot + 200 + kFrame,
        snapshot + 200 + 2 * kFrame, whole.bytes()}) {
    for (std::size_t taken = boundary - 40; taken <= boundary + 40; ++taken) {
      CAPTURE(taken);
      REQUIRE(ShortWrite(150'000, sizes).run(taken) == expected);
    }
  }
}

TEST_CASE("A connection may take a few bytes at a time") {
  const std::vector<std::size_t> sizes = {0, 1, 200, 3000, 70'000, 5};
  const Texts expected = ShortWrite(80'000, sizes).run(SIZE_MAX);
  for (const std::size_t at_once : {std::size_t{1}, std::size_t{2}, std::size_t{7},
                                    std::size_t{125}, std::size_t{4096}, std::size_t{65'539}}) {
    CAPTURE(at_once);
    SessionBench bench;
    bench.send(R"({"op":"set","notify":false,"key":"radio","value":")" + std::string(80'000, 'r') +
               "\"}");
    bench.transport.take_at_most(at_once);
    bench.connect();
    for (const std::size_t size : sizes) bench.broadcast(size);
    bench.pump();
    while (bench.transport.waits()) {
      bench.transport.become_writable(*bench.session);
      bench.pump();
    }
    CHECK(bench.transport.take_texts() == expected);
    CHECK(bench.transport.fault() == "");
  }
}

}  // namespace
}  // namespace syncrelay
