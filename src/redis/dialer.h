#pragma once

#include "redis/redis_connection.h"

namespace syncrelay {

// Finds the Redis that a URL names: asks sentinels who is master, logs in, selects the database,
// and goes where Redis Cluster keeps the keys. Pure but for the connections. Thread-safe.
class Dialer {
 public:
  static constexpr Duration kConnectPatience = std::chrono::seconds(1);
  static constexpr Duration kAnswerPatience = std::chrono::seconds(2);

  // `key` is one that all others share their slot with.
  Dialer(const RedisUrl& url, std::string key) : url_(url), key_(std::move(key)) {}

  using Dialed = Result<RedisConnection, RedisError>;
  Dialed dial(const Wake& interrupt) const;

 private:
  Dialed dial_master(const Wake& interrupt) const;
  Dialed dial_host(const RedisUrl::Host& host, const Wake& interrupt) const;
  Result<void, RedisError> greet(RedisConnection& connection) const;

  const RedisUrl url_;
  const std::string key_;
};

// "MOVED 3999 127.0.0.1:6381": the host and port, if `error` is such a redirection. Without a host
// it is that of `asked`.
std::optional<RedisUrl::Host> redirection(std::string_view error, const RedisUrl::Host& asked);

}  // namespace syncrelay
