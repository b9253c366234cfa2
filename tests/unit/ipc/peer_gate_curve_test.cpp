#include <doctest/doctest.h>

#include <chrono>

#include "gate_bench.h"

namespace syncrelay {
namespace {

using std::chrono::seconds;

constexpr std::uint32_t kRoom = 10;  // connections; strangers may have half of it

struct CurveBench : GateBench {
  CurveBench()
      : GateBench({kRoom, 1'000'000, 1'000'000}, PeerGate::Answers::none,
                  ZmtpMeter::Mechanism::curve) {}

  struct Ends {
    int peer;
    int ours;
  };
  Ends meet() {
    const int peer = connect();
    return {peer, accept()};
  }
  // As ZeroMQ sees it when it looks.
  bool is_cut_off(const Ends& ends) { return receive(ends.ours) == 0; }

  void shake_hands(const Ends& ends) {
    send(ends.peer, kGreeting + command(200) + command(250));
    while (receive(ends.ours) > 0) {
    }
  }

  static std::string command(std::size_t size) {
    std::string bytes = frame(size);
    bytes[0] = 4;
    return bytes;
  }
};

TEST_CASE("Strangers in their handshake displace each other and leave half of the room") {
  CurveBench bench;
  std::vector<CurveBench::Ends> known;
  for (int count = 0; count < 5; ++count) {
    known.push_back(bench.meet());
    bench.shake_hands(known.back());
  }
  std::vector<CurveBench::Ends> strangers;
  for (int count = 0; count < 5; ++count) {
    bench.clock.advance(seconds(1));
    strangers.push_back(bench.meet());
    REQUIRE(strangers.back().ours >= 0);
  }
  bench.connect();
  CHECK(bench.accept() < 0);  // until the oldest is closed, which has been told
  CHECK(bench.is_cut_off(strangers[0]));
  for (std::size_t index = 1; index < 5; ++index) CHECK_FALSE(bench.is_cut_off(strangers[index]));
  for (const auto& ends : known) CHECK_FALSE(bench.is_cut_off(ends));
  bench.close_now(strangers[0].ours);
  bench.connect();
  CHECK(bench.accept() >= 0);
}

TEST_CASE("Who began and did not come through is counted, with its address") {
  CurveBench bench;
  const auto silent = bench.meet();
  const auto begun = bench.meet();
  const auto known = bench.meet();
  bench.send(begun.peer, kGreeting);
  CHECK(bench.receive(begun.ours) > 0);
  bench.shake_hands(known);
  for (const auto& ends : {silent, begun, known}) bench.close_now(ends.ours);
  CHECK(bench.gate.connections() == 0);
  CHECK(bench.gate.strangers().count == 1);
}

TEST_CASE("A handshake that says too much is cut off") {
  CurveBench bench;
  const auto stranger = bench.meet();
  bench.send(stranger.peer, kGreeting + std::string("\x06\0\0\0\0\0\x10\0\0", 9));
  CHECK(bench.receive(stranger.ours) == -ECONNRESET);
  CHECK(bench.gate.cut_off() == 1);
}

TEST_CASE("Who is dismissed may say the rest, and is cut off a second later") {
  CurveBench bench;
  const auto known = bench.meet();
  bench.shake_hands(known);
  bench.gate.dismiss_curve_peers();
  bench.send(known.peer, frame(40));
  CHECK(bench.receive(known.ours) == 42);
  char byte = 0;
  CHECK(recv(known.peer, &byte, 1, MSG_DONTWAIT) == 0);  // it sees the end
  bench.gate.end_dismissed();
  CHECK_FALSE(bench.is_cut_off(known));
  bench.clock.advance(seconds(1));
  bench.gate.end_dismissed();
  CHECK(bench.is_cut_off(known));
}

TEST_CASE("Peers of a socket that asks for no key are never dismissed nor strangers") {
  GateBench bench({2, 1'000'000, 1'000'000});
  const int peer = bench.connect();
  const int ours = bench.accept();
  bench.send(peer, kGreeting);
  CHECK(bench.receive(ours) > 0);
  bench.gate.dismiss_curve_peers();
  CHECK(bench.receive(ours) == -EAGAIN);
  bench.close_now(ours);
  CHECK(bench.gate.connections() == 0);
  CHECK(bench.gate.strangers().count == 0);
}

}  // namespace
}  // namespace syncrelay
