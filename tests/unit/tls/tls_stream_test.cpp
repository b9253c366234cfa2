#include "syncrelay/tls/tls_stream.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <random>

#include "support/fake_clock.h"
#include "support/tls_link.h"
#include "syncrelay/ws/socket_transport.h"

namespace syncrelay {
namespace {

using testing::FakeClock;
using testing::make_pem_pair;
using testing::TlsLink;

// The kernel's least.
constexpr int kSmallBuffer = 2304;

TlsServer& server() {
  static const FakeClock clock;
  static TlsServer made(clock);
  static const bool ready = [] {
    const auto pair = make_pem_pair("relay.test");
    return made.use(pair.certificate, pair.key).ok();
  }();
  REQUIRE(ready);
  return made;
}

std::string text_of(std::size_t size) {
  std::string text(size, ' ');
  for (std::size_t at = 0; at < size; ++at) text[at] = static_cast<char>('!' + at * 7 % 90);
  return text;
}

// A connection's sending half, as a session uses it.
class Sender final : public SocketTransport {
 public:
  explicit Sender(TlsLink& link) { send_to(link.socket(), link.take_stream()); }

  // As an outlet does: what is not taken of a frame is handed over.
  void send(std::string_view frame) {
    const std::size_t taken = write(as_bytes(frame));
    finish_frame(as_bytes(frame.substr(taken)));
  }
  bool done() const { return all_sent(); }
  void go_on() {
    asked_ = false;
    REQUIRE(send_waiting());
  }
  bool asked() const { return asked_; }
  TlsStream& stream() { return *tls(); }

  void request_writable() override { asked_ = true; }
  void close(CloseCause) override {}

 private:
  bool asked_ = false;
};

TEST_CASE("What is written arrives, whatever the socket takes at once") {
  const std::string text = text_of(40'000);
  for (int buffer = kSmallBuffer; buffer < kSmallBuffer + 300; ++buffer) {
    CAPTURE(buffer);
    TlsLink link(server(), {}, buffer);
    REQUIRE(link.shake());
    TlsStream& stream = link.stream();
    std::size_t sent = 0;
    std::string got = link.client_reads();
    for (int turn = 0; got.size() < text.size() && turn < 1000; ++turn) {
      const std::string moving = text.substr(sent);  // from another place each time
      sent += stream.write(as_bytes(moving));
      CHECK((sent == text.size() || !stream.all_sent()));
      got += link.client_reads();
      REQUIRE(stream.flush());
    }
    REQUIRE(got == text);
  }
}

TEST_CASE("Frames that a connection takes in part are ended before anything else") {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    CAPTURE(round);
    TlsLink link(server(), {}, kSmallBuffer + round);
    REQUIRE(link.shake());
    Sender sender(link);
    std::string expected;
    std::string got;
    for (int frame = 0; frame < 30; ++frame) {
      const std::string text = text_of(1 + random() % (frame % 5 == 0 ? 60'000 : 300));
      expected += text;
      sender.send(text);
      if (!sender.done()) got += link.client_reads(random() % 20'000);
      if (random() % 2 == 0) sender.go_on();
    }
    for (int turn = 0; !sender.done() && turn < 1000; ++turn) {
      got += link.client_reads();
      sender.go_on();
    }
    got += link.client_reads();
    REQUIRE(got == expected);
  }
}

TEST_CASE("What a socket did not take is asked for, though all was taken of the caller") {
  TlsLink link(server(), {}, kSmallBuffer);
  REQUIRE(link.shake());
  Sender sender(link);
  const std::string text = text_of(10'000);
  CHECK(sender.write(as_bytes(text)) == text.size());
  CHECK(sender.asked());
  CHECK(sender.delivery().pending == false);  // no TCP: nothing is known
  CHECK(sender.write(as_bytes("more")) == 0);
  CHECK_FALSE(sender.done());
}

TEST_CASE("What waits goes in one record with what follows") {
  TlsLink link(server());
  REQUIRE(link.shake());
  Sender sender(link);
  const int before = static_cast<int>(link.client_reads().size());
  sender.finish_frame(as_bytes("answer"));
  CHECK(sender.write(as_bytes("first message")) == 13);
  std::string record(4096, '\0');
  CHECK(before == 0);
  std::size_t size = 0;
  REQUIRE(SSL_read_ex(link.client(), record.data(), record.size(), &size) == 1);
  CHECK(record.substr(0, size) == "answerfirst message");
}

TEST_CASE("What comes is read whatever its parts are") {
  const std::string text = text_of(2'000);
  for (std::size_t part = 1; part < 100; ++part) {
    TlsLink link(server());
    REQUIRE(link.shake());
    link.client_writes(text.substr(0, 700));
    link.client_writes(text.substr(700));
    std::string got;
    for (int turn = 0; got.size() < text.size() && turn < 3000; ++turn)
      got += link.stream_reads(link.stream(), part);
    REQUIRE(got == text);
  }
}

TEST_CASE("A peer may change its key now and then, and not over and over") {
  TlsLink link(server());
  REQUIRE(link.shake());
  for (int key = 1; key <= 101; ++key) {
    CAPTURE(key);
    REQUIRE(SSL_key_update(link.client(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    link.client_writes("text");
    REQUIRE(link.stream_reads(link.stream(), 100) == (key <= 100 ? "text" : ""));
  }
  CHECK(link.stream().fault() == TlsFault::malformed);
  CHECK(link.stream().fault_text() == "too many new keys");
}

TEST_CASE("A handshake may trickle") {
  TlsLink link(server());
  bool done = false;
  for (int turn = 0; turn < 5000 && !link.stream().established(); ++turn) {
    done = SSL_do_handshake(link.client()) == 1;
    const std::string byte = link.arrived(1);
    link.stream().feed(as_bytes(byte));
    link.stream().negotiate();
    REQUIRE_FALSE(link.stream().fault());
  }
  CHECK(done);
  CHECK(link.stream().established());
}

TEST_CASE("A hello that is longer than a handshake may be is a fault as soon as that is known") {
  const auto fault_after = [](const std::string& hello) {
    TlsLink link(server());
    link.stream().feed(as_bytes(hello));
    CHECK_FALSE(link.stream().negotiate());
    return link.stream().fault();
  };
  const std::string head("\x16\x03\x01\x40\x00\x01", 6);
  CHECK(fault_after(head + std::string("\x00\xa0\x00", 3)) == TlsFault::malformed);  // 40 KiB
  CHECK_FALSE(fault_after(head + std::string("\x00\x7f\x00", 3)));
  CHECK_FALSE(fault_after(head));
  CHECK(fault_after(std::string("\x16\x03\x01\x00\x01\x01", 6)) == TlsFault::malformed);
}

TEST_CASE("The end is told, and the peer's end is seen") {
  TlsLink link(server());
  REQUIRE(link.shake());
  link.stream().write(as_bytes("last words"));
  link.stream().say_end();
  link.stream().say_end();
  CHECK(link.client_reads() == "last words");
  CHECK(link.client_was_told_the_end());
  CHECK(link.stream().write(as_bytes("more")) == 0);
  link.client_writes("so be it");
  link.client_says_end();
  CHECK(link.stream_reads() == "so be it");
  CHECK(link.stream().ended());
  CHECK_FALSE(link.stream().fault());
}

TEST_CASE("The end waits until the record before has left") {
  TlsLink link(server(), {}, kSmallBuffer);
  REQUIRE(link.shake());
  const std::string text = text_of(16'000);
  CHECK(link.stream().write(as_bytes(text)) == text.size());
  CHECK_FALSE(link.stream().all_sent());
  link.stream().say_end();
  std::string got;
  for (int turn = 0; turn < 100 && !link.client_was_told_the_end(); ++turn) {
    got += link.client_reads();
    REQUIRE(link.stream().flush());
  }
  CHECK(got == text);
  CHECK(link.client_was_told_the_end());
}

TEST_CASE("A peer that is gone in the middle of a record ends the connection") {
  TlsLink link(server(), {}, kSmallBuffer);
  REQUIRE(link.shake());
  const std::string text = text_of(60'000);
  CHECK(link.stream().write(as_bytes(text)) < text.size());
  link.client_hangs_up();
  CHECK_FALSE(link.stream().flush());
  CHECK(link.stream().write(as_bytes(text)) == 0);
}

TEST_CASE("What is no TLS, or was changed, is a fault") {
  TlsLink garbage(server());
  garbage.client_sends(std::string("\x16\x03\x01\x00\x05hello", 10));
  const std::string came = garbage.arrived();
  garbage.stream().feed(as_bytes(came));
  CHECK_FALSE(garbage.stream().negotiate());
  CHECK(garbage.stream().fault() == TlsFault::malformed);
  CHECK_FALSE(garbage.stream().fault_text().empty());

  TlsLink changed(server());
  REQUIRE(changed.shake());
  changed.client_writes("pay 100");
  std::string record = changed.arrived();
  record.back() = static_cast<char>(record.back() ^ 1);
  std::array<std::byte, 100> plain;
  changed.stream().feed(as_bytes(record));
  CHECK(changed.stream().read(plain) == 0);
  CHECK(changed.stream().fault() == TlsFault::malformed);
}

TEST_CASE("A client that does not believe the certificate says so") {
  TlsLink link(server(), [](SSL* ssl) { SSL_set_verify(ssl, SSL_VERIFY_PEER, nullptr); });
  link.shake();
  const std::string came = link.arrived();
  link.stream().feed(as_bytes(came));
  CHECK_FALSE(link.stream().negotiate());
  CHECK(link.stream().fault() == TlsFault::refused);
}

TEST_CASE("Nothing is negotiated anew") {
  TlsLink link(server(), [](SSL* ssl) { SSL_set_max_proto_version(ssl, TLS1_2_VERSION); });
  REQUIRE(link.shake());
  REQUIRE(SSL_renegotiate(link.client()) == 1);
  SSL_do_handshake(link.client());
  CHECK(link.stream_reads().empty());
  CHECK_FALSE(link.stream().fault());
  CHECK(SSL_do_handshake(link.client()) != 1);
}

TEST_CASE("A key that has served its time is replaced, and nothing is lost") {
  const FakeClock clock;
  TlsServer forgetful(clock, 3);
  const auto pair = make_pem_pair("relay.test");
  REQUIRE(forgetful.use(pair.certificate, pair.key).ok());
  int new_keys = 0;
  for (const int version : {TLS1_3_VERSION, TLS1_2_VERSION}) {
    TlsLink link(forgetful, [&](SSL* ssl) {
      SSL_set_max_proto_version(ssl, version);
      SSL_set_msg_callback_arg(ssl, &new_keys);
      SSL_set_msg_callback(
          ssl, [](int, int, int type, const void* bytes, std::size_t, SSL*, void* count) {
            const bool is_new_key = type == SSL3_RT_HANDSHAKE &&
                                    *static_cast<const unsigned char*>(bytes) == SSL3_MT_KEY_UPDATE;
            *static_cast<int*>(count) += is_new_key ? 1 : 0;
          });
    });
    REQUIRE(link.shake());
    std::string expected;
    std::string got;
    for (int record = 0; record < 10; ++record) {
      expected += std::to_string(record);
      CHECK(link.stream().write(as_bytes(std::to_string(record))) == 1);
      got += link.client_reads();
    }
    CHECK(got == expected);
    CHECK(new_keys == 3);
  }
}

// Each is answered by one, and nobody reads the answers.
TEST_CASE("A peer that asks for new keys and does not read is cut off") {
  TlsLink link(server(), {}, kSmallBuffer);
  REQUIRE(link.shake());
  int asked = 0;
  while (asked < 20'000 && !link.stream().fault()) {
    REQUIRE(SSL_key_update(link.client(), SSL_KEY_UPDATE_REQUESTED) == 1);
    SSL_do_handshake(link.client());
    CHECK(link.stream_reads().empty());
    ++asked;
  }
  CHECK(asked > 10);
  CHECK(link.stream().fault());
}

}  // namespace
}  // namespace syncrelay
