#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "syncrelay/protocol/stats.h"

namespace syncrelay {

// Keeps the number of clients within its limits, over all shards. Thread-safe.
class Admission {
 public:
  struct Limits {
    std::uint32_t clients;
    std::uint32_t clients_per_address;  // 0: no such limit
  };

  explicit Admission(Limits limits) : limits_(limits) {}

  // Takes a place for a client from this address; the reason when there is none. A taken place is
  // given back by leave().
  std::optional<RefusalReason> enter(std::string_view address);
  void leave(std::string_view address);

 private:
  const Limits limits_;
  std::atomic<std::uint32_t> clients_{0};
  std::mutex mutex_;  // guards by_address_
  std::unordered_map<std::string, std::uint32_t>
      by_address_;  // empty without a limit per address; at most one entry a client
};

}  // namespace syncrelay
