#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <vector>

namespace syncrelay {

// By which names the relay lets itself be called. A page of a stranger whose name leads to this
// relay's address (DNS rebinding) has the same host in Origin and Host, so the origin alone tells
// nothing; the name does. Addresses, localhost and the hosts of listed origins cannot be a
// stranger's. Thread-safe.
class HostRule {
 public:
  enum class Verdict : std::uint8_t { known, unlisted, refused };

  // Without any `allowed` other names are accepted, too.
  HostRule(const std::vector<std::string>& allowed, const std::vector<std::string>& origins);

  // `authority`: a Host header, with or without a port; none is as a name that is not listed.
  Verdict judge(std::string_view authority) const;

  // True for the first call only: an operator is told once that names are not listed.
  bool first_unlisted() { return !told_.exchange(true); }

 private:
  const bool lists_any_;
  std::vector<std::string> known_;
  std::atomic<bool> told_{false};
};

// "example.org:8080" and "[::1]:8080" without the port.
std::string_view host_name(std::string_view authority);

// The same for an origin: "https://example.org:444"; empty when it is none, or has no host (RFC
// 6454 section 6.2: a scheme, a host and perhaps a port, nothing else).
std::string_view origin_host(std::string_view origin);

// The option that would list the name, to be told to an operator. A name that is none, which a
// stranger may have made up for a shell to run, is left out.
std::string host_option(std::string_view authority);

}  // namespace syncrelay
