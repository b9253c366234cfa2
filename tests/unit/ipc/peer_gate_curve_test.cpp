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

  // All that a peer says, up to the question for its key.
  void ask(const Ends& ends) {
    send(ends.peer, kGreeting + command(200) + command(250));
    while (receive(ends.ours) > 0) {
    }
  }

  // What the relay says to it, all but the last.
  void welcome(const Ends& ends) { send(ends.ours, kGreeting + command(168)); }

  static std::string ready() { return std::string("\x04\x0a\x05READYabcd"); }
  static std::string error() {
    return std::string(
        "\x04\x0a\x05"
        "ERROR\x03"
        "400");
  }

  void shake_hands(const Ends& ends, const std::string& key = "key") {
    ask(ends);
    gate.allow(++questions, key);
    welcome(ends);
    send(ends.ours, ready());
  }

  void dismiss(const std::string& gone) {
    gate.dismiss([&](const std::string& key) { return key != gone; });
  }

  // As the peer sees it.
  static bool sees_end(const Ends& ends) {
    char bytes[4096];
    ssize_t size = 0;
    do size = recv(ends.peer, bytes, sizeof bytes, MSG_DONTWAIT);
    while (size > 0);
    return size == 0;
  }

  std::uint64_t questions = 0;

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
  bench.dismiss("key");
  bench.send(known.peer, frame(40));
  CHECK(bench.receive(known.ours) == 42);
  CHECK(bench.sees_end(known));
  bench.gate.end_dismissed();
  CHECK_FALSE(bench.is_cut_off(known));
  bench.clock.advance(seconds(1));
  bench.dismiss("key");  // once more gives it no other second
  bench.gate.end_dismissed();
  CHECK(bench.is_cut_off(known));
}

TEST_CASE("Whose key stays is not dismissed") {
  CurveBench bench;
  const auto goes = bench.meet();
  bench.shake_hands(goes, "a");
  const auto stays = bench.meet();
  bench.shake_hands(stays, "b");
  bench.dismiss("a");
  CHECK(bench.sees_end(goes));
  CHECK_FALSE(bench.sees_end(stays));
}

TEST_CASE(
    "Of peers that asked at once it is known whose key is whose when they have said something") {
  CurveBench bench;
  const std::vector<CurveBench::Ends> peers = {bench.meet(), bench.meet(), bench.meet()};
  for (const auto& peer : peers) bench.ask(peer);
  bench.gate.allow(1, "a");
  bench.gate.allow(2, "b");
  bench.gate.allow(3, "c");
  for (const auto& peer : peers) {
    bench.welcome(peer);
    bench.send(peer.ours, bench.ready());
  }
  bench.gate.heard(peers[0].ours, 9);  // of one that had this descriptor before
  bench.gate.heard(peers[0].ours, 1);
  bench.gate.heard(peers[1].ours, 2);
  bench.dismiss("b");
  CHECK_FALSE(bench.sees_end(peers[0]));
  CHECK(bench.sees_end(peers[1]));
  CHECK(bench.sees_end(peers[2]));  // it may be its key
}

TEST_CASE("Who asks for too much before it is let in is cut off and holds nobody up") {
  CurveBench bench;
  const std::string large("\x02\0\0\0\0\x03\xf0\0\0", 9);  // 63 MiB, more than a message may have
  for (const std::string& more : {large, frame(0)}) {
    const auto stranger = bench.meet();
    bench.send(stranger.peer,
               kGreeting + CurveBench::command(200) + CurveBench::command(250) + more);
    CHECK(bench.receive(stranger.ours) == -ECONNRESET);
  }
  CHECK(bench.gate.completed() == 0);
  CHECK(bench.gate.cut_off() == 2);
}

TEST_CASE("Who is refused hears so, and is closed at once") {
  CurveBench bench;
  const auto stranger = bench.meet();
  bench.ask(stranger);
  bench.welcome(stranger);
  const std::string error = bench.error();
  bench.send(stranger.ours, error.substr(0, 5));
  CHECK(bench.receive(stranger.ours) == -EAGAIN);
  bench.send(stranger.ours, error.substr(5));
  CHECK(bench.receive(stranger.ours) == -ECONNRESET);
  std::string heard(kGreeting.size() + 170 + error.size(), '\0');
  CHECK(recv(stranger.peer, heard.data(), heard.size(), MSG_WAITALL) ==
        static_cast<ssize_t>(heard.size()));
  CHECK(heard.ends_with(error));
  CHECK(bench.sees_end(stranger));
  bench.close_now(stranger.ours);
  CHECK(bench.gate.connections() == 0);
  CHECK(bench.gate.strangers().count == 0);  // it has shown its key
}

TEST_CASE("Who has said all of its handshake is a stranger until it is let in") {
  CurveBench bench;
  std::vector<CurveBench::Ends> strangers;
  for (int count = 0; count < 6; ++count) {
    strangers.push_back(bench.meet());
    if (count == 0) bench.ask(strangers[0]);
    bench.clock.advance(seconds(1));
  }
  CHECK(bench.is_cut_off(strangers[0]));
  bench.close_now(strangers[0].ours);
  CHECK(bench.gate.connections() == 5);
  CHECK(bench.gate.strangers().count == 1);
}

TEST_CASE("Peers of a socket that asks for no key are never dismissed nor strangers") {
  GateBench bench({2, 1'000'000, 1'000'000});
  const int peer = bench.connect();
  const int ours = bench.accept();
  bench.send(peer, kGreeting);
  CHECK(bench.receive(ours) > 0);
  bench.gate.dismiss([](const std::string&) { return false; });
  CHECK(bench.receive(ours) == -EAGAIN);
  bench.close_now(ours);
  CHECK(bench.gate.connections() == 0);
  CHECK(bench.gate.strangers().count == 0);
}

}  // namespace
}  // namespace syncrelay
