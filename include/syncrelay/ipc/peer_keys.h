#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace syncrelay {

// The public keys that may connect to the command sockets by CURVE, as Z85 (RFC 32). Thread-safe.
class PeerKeys {
 public:
  void replace(const std::vector<std::string>& keys);

  bool has(std::string_view key) const;

  // How often one was taken out: who is connected with it is to go then.
  std::uint64_t removals() const;

 private:
  mutable std::mutex mutex_;  // guards all below
  std::set<std::string, std::less<>> keys_;
  std::uint64_t removals_ = 0;
};

}  // namespace syncrelay
