#pragma once

#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <mutex>
#include <optional>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// The keys that session tickets are sealed with. A new one takes over every kTicketLife; the one
// before opens its tickets as long as they live. So what a ticket protects is safe from whoever
// gets at the process's memory twice that time later, and a session is resumed whatever certificate
// has been replaced meanwhile. Thread-safe.
class TicketKeys {
 public:
  static constexpr Duration kTicketLife = std::chrono::hours(2);

  // `clock` must outlive it.
  explicit TicketKeys(const Clock& clock) : clock_(clock) {}

  // Has the context's tickets sealed with these keys, which must outlive it.
  void serve(SSL_CTX* context);

 private:
  struct Key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
  };

  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                       EVP_MAC_CTX* mac, int sealing);
  static std::optional<Key> fresh();
  std::optional<Key> newest();
  std::optional<Key> named(const unsigned char* name);
  void retire();

  const Clock& clock_;
  std::mutex mutex_;  // guards what follows
  std::optional<Key> newest_;
  std::optional<Key> before_;
  TimePoint made_{};  // the newest one
};

}  // namespace syncrelay
