#pragma once

#include <array>
#include <mutex>
#include <string_view>

namespace syncrelay {

// A secret that a request shows as it is (RFC 6750), and that may be replaced meanwhile. Only its
// hash is kept, and hashes are compared in a time that tells nothing. Thread-safe.
class BearerSecret {
 public:
  static constexpr std::size_t kLeast = 32;  // characters: nobody guesses it

  explicit BearerSecret(std::string_view secret) { replace(secret); }

  void replace(std::string_view secret);
  bool is(std::string_view shown) const;

 private:
  using Hash = std::array<unsigned char, 32>;  // SHA-256

  static Hash hash_of(std::string_view text);

  mutable std::mutex mutex_;  // guards hash_
  Hash hash_{};
};

}  // namespace syncrelay
