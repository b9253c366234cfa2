#include "syncrelay/ipc/peer_gate.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <vector>

#include "gate_bench.h"

namespace syncrelay {
namespace {

TEST_CASE("The calls of shared libraries come to the gate") {
  CHECK(PeerGate::in_force());
}

TEST_CASE("Connections over the bound are taken off the queue, closed and counted") {
  GateBench bench({2, 1000, 1000});
  std::vector<int> peers;
  for (int count = 0; count < 5; ++count) peers.push_back(bench.connect());
  const int first = bench.accept();
  CHECK(first >= 0);
  CHECK(bench.accept() >= 0);
  for (int count = 0; count < 3; ++count) {
    CHECK(bench.accept() == -1);
    CHECK(errno == ECONNABORTED);
    CHECK(bench.receive(peers[2 + static_cast<std::size_t>(count)]) == 0);
  }
  CHECK(bench.accept() == -1);
  CHECK(errno == EAGAIN);
  CHECK(bench.gate.refused() == 3);
  CHECK(bench.gate.connections() == 2);

  bench.close_now(first);
  CHECK(bench.gate.connections() == 1);
  bench.connect();
  CHECK(bench.accept() >= 0);
}

TEST_CASE("A descriptor that is another socket by now counts as gone") {
  GateBench bench({1, 1000, 1000});
  bench.connect();
  const int peer = bench.accept();
  bench.close_now(peer);
  const int other = dup2(STDERR_FILENO, peer);
  CHECK(bench.gate.connections() == 0);
  close(other);
}

TEST_CASE("Without a descriptor left a connection is turned away, and nobody asks in vain") {
  GateBench bench({10, 1000, 1000});
  const int peer = bench.connect();
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  const int next = dup(peer);
  close(next);
  none.rlim_cur = static_cast<rlim_t>(next);
  setrlimit(RLIMIT_NOFILE, &none);
  const int accepted = bench.accept();
  const int error = errno;
  setrlimit(RLIMIT_NOFILE, &before);
  CHECK(accepted == -1);
  CHECK(error == ECONNABORTED);
  CHECK(bench.gate.refused() == 1);
  CHECK(bench.receive(peer) == 0);
  CHECK(bench.accept() == -1);
  CHECK(errno == EAGAIN);
}

TEST_CASE("What nobody takes stops the reading, and taking it lets it go on") {
  GateBench bench({2, 2 * frame_weight(100), 1000});
  const int peer = bench.connect();
  const int accepted = bench.accept();
  bench.send(peer, kGreeting + frame(100) + frame(100));
  CHECK(bench.receive(accepted) == static_cast<int>(64 + 2 * 102));
  bench.send(peer, frame(100));
  CHECK(bench.receive(accepted) == 102);  // at the bound, not over it
  CHECK(bench.held_up == 0);
  bench.send(peer, frame(100));
  CHECK(bench.receive(accepted) == -EAGAIN);
  CHECK(bench.held_up == 1);
  bench.gate.took(100);
  CHECK(bench.receive(accepted) == 102);
  CHECK(bench.receive(accepted) == -EAGAIN);
  bench.send(peer, frame(100));
  CHECK(bench.receive(accepted) == -EAGAIN);
  bench.gate.found_empty(bench.gate.completed());
  CHECK(bench.receive(accepted) == 102);
}

TEST_CASE("Who sends parts without end, or no ZMTP, is cut off") {
  GateBench bench({2, 1000, 3 * frame_weight(10)});
  const int peer = bench.connect();
  const int accepted = bench.accept();
  bench.send(peer, kGreeting + frame(10, true) + frame(10, true) + frame(10));
  CHECK(bench.receive(accepted) > 0);
  for (int count = 0; count < 3; ++count) {
    bench.send(peer, frame(10, true));
    CHECK(bench.receive(accepted) == 12);
  }
  bench.send(peer, frame(10, true));
  CHECK(bench.receive(accepted) == -ECONNRESET);
  const int stranger = bench.connect();
  const int taken_in = bench.accept();
  bench.send(stranger, "GET / HTTP/1.1\r\n\r\n");
  CHECK(bench.receive(taken_in) == -ECONNRESET);
  CHECK(bench.gate.cut_off() == 2);
}

TEST_CASE("Many large messages at once wait for each other, and who has stopped in one is closed") {
  GateBench bench({3, 1000, 1000, 2 * frame_weight(200)});
  const int first = bench.connect();
  const int second = bench.connect();
  const int third = bench.connect();
  const int stopped = bench.accept();
  const int going_on = bench.accept();
  const int waiting = bench.accept();
  for (const int fd : {first, second, third}) bench.send(fd, kGreeting);
  for (const int fd : {stopped, going_on, waiting}) CHECK(bench.receive(fd) == 64);
  bench.send(first, frame(200).substr(0, 10));
  bench.send(second, frame(200).substr(0, 10));
  bench.send(third, frame(5));
  CHECK(bench.receive(stopped) == 10);
  CHECK(bench.receive(going_on) == 10);
  CHECK(bench.receive(waiting) == -EAGAIN);
  bench.send(second, frame(200).substr(10, 10));
  bench.clock.advance(std::chrono::seconds(10));
  CHECK(bench.receive(going_on) == 10);
  CHECK(bench.receive(waiting) == -EAGAIN);
  CHECK(bench.receive(stopped) == 0);
  CHECK(bench.gate.cut_off() == 1);
  bench.close_now(stopped);
  CHECK(bench.receive(waiting) == 7);
  CHECK(bench.receive(going_on) == -EAGAIN);
}

TEST_CASE("Closed to news, it reads what lay there to the end of its last message and no more") {
  GateBench bench({2, 1000, 1000});
  const int peer = bench.connect();
  const int accepted = bench.accept();
  bench.send(peer, kGreeting + frame(10) + frame(20).substr(0, 5));
  bench.gate.close_to_news();
  bench.send(peer, frame(20).substr(5) + frame(30));
  std::size_t read = 0;
  for (int size = 0; (size = bench.receive(accepted)) > 0;) read += static_cast<std::size_t>(size);
  CHECK(read == 64 + 12 + 22);
  bench.connect();
  CHECK(bench.accept() == -1);
  CHECK(errno == ECONNABORTED);
}

TEST_CASE("Taking leave, it reads what peers without answers send until they hang up") {
  GateBench bench({3, 1000, 1000}, PeerGate::Answers::none);
  const int peer = bench.connect();
  const int accepted = bench.accept();
  bench.send(peer, kGreeting + frame(10));
  CHECK(bench.receive(accepted) == 64 + 12);
  const int stranger = bench.connect();
  bench.accept();
  bench.send(stranger, kGreeting);
  bench.gate.take_leave();
  CHECK(bench.gate.leaving() == 1);
  CHECK(bench.receive(peer) == 0);
  bench.send(peer, frame(10));
  CHECK(bench.receive(accepted) == 12);
  bench.close_now(peer);
  CHECK(bench.receive(accepted) == 0);
  bench.close_now(accepted);
  CHECK(bench.gate.leaving() == 0);
  bench.connect();
  CHECK(bench.accept() == -1);
}

TEST_CASE("Taking leave, it lets those be who wait for answers") {
  GateBench bench({2, 1000, 1000}, PeerGate::Answers::each);
  const int peer = bench.connect();
  const int accepted = bench.accept();
  bench.gate.take_leave();
  CHECK(bench.gate.leaving() == 0);
  bench.send(accepted, "answer");
  CHECK(bench.receive(peer) == 6);
}

}  // namespace
}  // namespace syncrelay
