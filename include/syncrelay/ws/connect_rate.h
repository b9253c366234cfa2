#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// How many upgrades a second each address may ask for, over all shards: what it has not used of the
// last ten seconds it may use at once. Thread-safe.
//
// An address that has been silent for ten seconds is as one that never came, and forgotten. Where
// more than kMaxAddresses have come within that time, the one that has been silent for longest is
// forgotten all the same, and may do its all anew: who has so many addresses is not held back by a
// rate of each, and newcomers are not shut out.
class ConnectRate {
 public:
  static constexpr std::size_t kMaxAddresses = 50'000;

  // Precondition: `per_second` > 0.
  explicit ConnectRate(std::uint32_t per_second, std::size_t max_addresses = kMaxAddresses);

  // Whether an upgrade from this address (see network_of()) is within the rate; it counts then.
  bool allows(std::string_view address, TimePoint now);

  std::size_t addresses();  // that are remembered

 private:
  // All of what may be done at once is left again from `full_at` on, less before.
  struct Bucket {
    std::string address;
    TimePoint full_at;
  };
  using Buckets = std::list<Bucket>;

  Buckets::iterator touch(std::string_view address, TimePoint now);
  void forget_some(TimePoint now);
  void forget_first();

  const Duration interval_;  // that one upgrade takes
  const std::size_t max_addresses_;
  std::mutex mutex_;  // guards all below
  Buckets buckets_;   // who came last stands last
  std::unordered_map<std::string_view, Buckets::iterator> by_address_;
};

}  // namespace syncrelay
