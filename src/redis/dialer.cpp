#include "redis/dialer.h"

#include <array>
#include <charconv>
#include <chrono>
#include <optional>

namespace syncrelay {
namespace {

constexpr int kRedirections = 4;

RedisError error_of(std::string what) {
  return {RedisError::Kind::broken, std::move(what)};
}

std::optional<std::uint16_t> port_of(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, failure] = std::from_chars(text.data(), end, port);
  if (failure != std::errc() || stopped != end || port == 0) return std::nullopt;
  return port;
}

// Who is master, by what one sentinel says.
Result<RedisUrl::Host, RedisError> ask_sentinel(const RedisUrl::Host& sentinel,
                                                std::string_view master, const Wake& interrupt) {
  auto connection = RedisConnection::open(sentinel, Dialer::kConnectPatience, interrupt);
  if (!connection) return connection.error();
  const std::array<std::string_view, 3> words = {"SENTINEL", "get-master-addr-by-name", master};
  const auto reply = connection.value().call(words, Dialer::kAnswerPatience);
  if (!reply) return reply.error();
  const auto port = port_of(reply.value().value()[1].text());
  if (!port) return error_of("the sentinel knows no master " + std::string(master));
  return RedisUrl::Host{std::string(reply.value().value()[0].text()), *port};
}

}  // namespace

std::optional<RedisUrl::Host> redirection(std::string_view error, const RedisUrl::Host& asked) {
  if (!error.starts_with("MOVED ")) return std::nullopt;
  const std::string_view address = error.substr(error.rfind(' ') + 1);
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = port_of(address.substr(colon + 1));
  if (!port) return std::nullopt;
  return RedisUrl::Host{colon == 0 ? asked.name : std::string(address.substr(0, colon)), *port};
}

Dialer::Dialed Dialer::dial(const Wake& interrupt) const {
  if (url_.tls) return error_of("this build of the relay has no TLS to Redis");
  if (url_.master.empty()) return dial_host(url_.hosts.front(), interrupt);
  return dial_master(interrupt);
}

// The first sentinel that knows the master is believed; whether it is one, it says itself.
Dialer::Dialed Dialer::dial_master(const Wake& interrupt) const {
  RedisError last = error_of("no sentinel");
  for (const RedisUrl::Host& sentinel : url_.hosts) {
    const auto master = ask_sentinel(sentinel, url_.master, interrupt);
    if (!master) {
      last = master.error();
      continue;
    }
    Dialed dialed = dial_host(master.value(), interrupt);
    if (dialed) return dialed;
    last = dialed.error();
  }
  return last;
}

Dialer::Dialed Dialer::dial_host(const RedisUrl::Host& host, const Wake& interrupt) const {
  RedisUrl::Host place = host;
  for (int turn = 0; turn < kRedirections; ++turn) {
    Dialed connection = RedisConnection::open(place, kConnectPatience, interrupt);
    if (!connection) return connection;
    if (const auto greeted = greet(connection.value()); !greeted) return greeted.error();
    const std::array<std::string_view, 2> words = {"EXISTS", key_};
    const auto reply = connection.value().call(words, kAnswerPatience);
    if (reply) return connection;
    const auto moved = redirection(reply.error().what, place);
    if (!moved) return reply.error();
    place = *moved;
  }
  return error_of("Redis Cluster sends from one to another");
}

Result<void, RedisError> Dialer::greet(RedisConnection& connection) const {
  const std::array<std::string_view, 3> login = {"AUTH", url_.user, url_.password};
  const std::array<std::string_view, 2> password = {"AUTH", url_.password};
  const std::string number = std::to_string(url_.database);
  const std::array<std::string_view, 2> select = {"SELECT", number};
  if (!url_.password.empty()) {
    const auto reply = url_.user.empty() ? connection.call(password, kAnswerPatience)
                                         : connection.call(login, kAnswerPatience);
    if (!reply) return reply.error();
  }
  if (url_.database == 0) return {};
  const auto reply = connection.call(select, kAnswerPatience);
  if (!reply) return reply.error();
  return {};
}

}  // namespace syncrelay
