#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/result.h"

namespace syncrelay {

// Where the Redis of a cluster is, as one text:
//
//     redis://[user:password@]host[:6379][/database][?prefix=NAME]
//     rediss://…                                                     the same over TLS
//     redis+sentinel://[user:password@]host[:26379],host…/master[/database][?prefix=NAME]
//
// User and password may be percent-encoded (RFC 3986); they are those of the Redis itself, a
// sentinel is asked without. IPv6 addresses stand in brackets.
struct RedisUrl {
  struct Host {
    std::string name;
    std::uint16_t port = 0;

    bool operator==(const Host&) const = default;
  };

  static constexpr std::size_t kMaxHosts = 16;
  static constexpr std::size_t kMaxPrefix = 64;  // of A-Z a-z 0-9 _ . : -

  std::vector<Host> hosts;  // one Redis; or the sentinels, where `master` says whose
  std::string master;       // empty: no sentinel
  std::string user;         // empty: the default user
  std::string password;     // empty: none is sent
  std::uint32_t database = 0;
  std::string prefix = "syncrelay";
  bool tls = false;

  // The error is for a person, and shows no password.
  static Result<RedisUrl, std::string> parse(std::string_view text);

  // The same without user and password, for log lines.
  std::string shown() const;
};

}  // namespace syncrelay
