#include "syncrelay/ipc/zmtp_meter.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace syncrelay {
namespace {

std::string greeting(char revision, std::size_t size) {
  std::string bytes = std::string("\xff") + std::string(8, '\0') + '\x7f' + revision;
  bytes.resize(size, '\0');
  return bytes;
}

const std::string kGreeting3 = greeting(3, 64);

std::string frame(std::size_t size, bool more = false) {
  const char flags = static_cast<char>(more ? 1 : 0);
  if (size < 256)
    return std::string(1, flags) + static_cast<char>(size) + std::string(size, '\xff');
  std::string head(1, static_cast<char>(flags | 2));
  for (int shift = 56; shift >= 0; shift -= 8) head += static_cast<char>(size >> shift);
  return head + std::string(size, '\xff');
}

std::string command_frame(std::size_t size) {
  std::string bytes = frame(size);
  bytes[0] = static_cast<char>(bytes[0] | 4);
  return bytes;
}

TEST_CASE("Complete messages weigh what their frames weigh, however the bytes are cut") {
  const std::string bytes = kGreeting3 + command_frame(30) + frame(0) + frame(255) + frame(256) +
                            frame(3, true) + frame(70'000) + command_frame(300);
  const std::uint64_t expected = frame_weight(0) + frame_weight(255) + frame_weight(256) +
                                 frame_weight(3) + frame_weight(70'000) + frame_weight(30) +
                                 frame_weight(300);
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{8192}, bytes.size()}) {
    CAPTURE(piece);
    ZmtpMeter meter;
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      sum += meter.add(std::string_view(bytes).substr(at, piece));
    CHECK(sum == expected);
    CHECK(meter.unfinished() == 0);
    CHECK(meter.between_messages());
  }
}

TEST_CASE("A message whose parts never end is seen to grow") {
  ZmtpMeter meter;
  meter.add(kGreeting3);
  for (std::uint64_t count = 1; count <= 1000; ++count) {
    CHECK(meter.add(frame(100, true)) == 0);
    CHECK(meter.unfinished() == count * frame_weight(100));
    CHECK_FALSE(meter.between_messages());
  }
  CHECK(meter.add(frame(0)) == 1000 * frame_weight(100) + frame_weight(0));
}

TEST_CASE("A frame counts from its header on, and says how much of it is missing") {
  ZmtpMeter meter;
  const std::string bytes = kGreeting3 + frame(1000);
  meter.add(std::string_view(bytes).substr(0, 64 + 9));
  CHECK(meter.unfinished() == frame_weight(1000));
  CHECK(meter.to_read() == 1000);
  meter.add(std::string_view(bytes).substr(64 + 9, 400));
  CHECK(meter.to_read() == 600);
}

TEST_CASE("ZMTP 2.0 is followed, and what is older is told") {
  ZmtpMeter second;
  CHECK(second.add(greeting(1, 12) + frame(5)) == frame_weight(5));
  for (const std::string& old : {std::string("GET / HTTP/1.1"), greeting(0, 12),
                                 std::string("\xff") + std::string(9, '\0')}) {
    ZmtpMeter meter;
    meter.add(old);
    CHECK(meter.lost());
  }
}

// What a peer says before its messages: HELLO and INITIATE.
const std::string kHandshake = kGreeting3 + command_frame(200) + command_frame(257);

TEST_CASE("A command is no message that was sent, and is small") {
  ZmtpMeter meter;
  meter.add(kGreeting3 + command_frame(4096));
  CHECK_FALSE(meter.has_sent());
  meter.add(frame(0, true));
  CHECK_FALSE(meter.has_sent());
  meter.add(frame(0));
  CHECK(meter.has_sent());
  meter.add(command_frame(4097).substr(0, 9));
  CHECK(meter.lost());
  CHECK(meter.unfinished() == 0);
}

// Goes through the handshake.
ZmtpMeter let_in(const std::string& handshake) {
  ZmtpMeter meter(ZmtpMeter::Mechanism::curve);
  CHECK(meter.add(handshake) == 0);
  CHECK(meter.asks());
  meter.let_in();
  return meter;
}

TEST_CASE("Behind CURVE a frame weighs what is in its box, and each is a message") {
  std::string last = frame(33 + 70'000);
  last[0] |= 4;  // outside of the box it means nothing
  const std::string bytes = frame(33) + frame(33 + 10) + last;
  const std::uint64_t expected = frame_weight(0) + frame_weight(10) + frame_weight(70'000);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    CAPTURE(piece);
    ZmtpMeter meter = let_in(kHandshake);
    std::uint64_t sum = 0;
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      sum += meter.add(std::string_view(bytes).substr(at, piece));
    CHECK(sum == expected);
    CHECK(meter.between_messages());
  }
}

TEST_CASE("A frame in a box that has no room for one weighs something all the same") {
  CHECK(let_in(kHandshake).add(frame(5)) == frame_weight(0));
}

TEST_CASE("A handshake is two commands, of bounded size, and nothing of it is a message") {
  ZmtpMeter meter(ZmtpMeter::Mechanism::curve);
  CHECK_FALSE(meter.has_begun());
  CHECK(meter.add(kGreeting3 + command_frame(200)) == 0);
  CHECK(meter.has_begun());
  CHECK_FALSE(meter.asks());
  CHECK(meter.add(frame(257)) == 0);
  CHECK(meter.asks());
  CHECK_FALSE(meter.is_let_in());
  CHECK(ZmtpMeter().is_let_in());
  CHECK_FALSE(ZmtpMeter().asks());
  for (const std::string& start : {kGreeting3, kGreeting3 + command_frame(200)}) {
    for (const std::string& large : {command_frame(4097), frame(4097)}) {
      ZmtpMeter stranger(ZmtpMeter::Mechanism::curve);
      stranger.add(start + large.substr(0, 9));
      CHECK(stranger.lost());
      CHECK(stranger.unfinished() == 0);
    }
  }
}

TEST_CASE("Who asks and says one byte more before it is let in says too much") {
  for (const std::string& more : {std::string(1, '\0'), frame(0), command_frame(63 << 20)}) {
    ZmtpMeter meter(ZmtpMeter::Mechanism::curve);
    CHECK(meter.add(kHandshake + more) == 0);
    CHECK(meter.lost());
    CHECK(meter.unfinished() == 0);
  }
}

}  // namespace
}  // namespace syncrelay
