#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "syncrelay/base/ids.h"
#include "syncrelay/base/result.h"
#include "syncrelay/metrics/stats.h"

namespace syncrelay {

// Keeps the number of clients within its limits and gives them their ids, over all shards.
// Thread-safe; must outlive its seats.
class Admission {
  // Entries of the map, which stay where they are; at most one a client.
  using Addresses = std::unordered_map<std::string, std::uint32_t>;

 public:
  struct Limits {
    std::uint32_t clients;
    std::uint32_t clients_per_address;  // 0: no such limit
  };

  // A client's place, given back when it goes: no place can be given back that was not taken.
  class Seat {
   public:
    Seat(Seat&& other) noexcept
        : admission_(std::exchange(other.admission_, nullptr)),
          address_(other.address_),
          id_(other.id_) {}
    Seat& operator=(Seat&&) = delete;
    ~Seat() {
      if (admission_ != nullptr) admission_->leave(address_);
    }

    // Small, and never given to another client of this process.
    ConnectionId id() const { return id_; }

   private:
    friend class Admission;
    Seat(Admission& admission, Addresses::pointer address, ConnectionId id)
        : admission_(&admission), address_(address), id_(id) {}

    Admission* admission_;
    Addresses::pointer address_;  // null without a limit per address
    ConnectionId id_;
  };

  explicit Admission(Limits limits) : limits_(limits) {}

  // A place for a client from this address (see network_of()), or the reason when there is none.
  Result<Seat, RefusalReason> enter(std::string_view address);

  std::uint32_t clients() const { return clients_.load(); }

 private:
  void leave(Addresses::pointer address);

  const Limits limits_;
  std::atomic<std::uint32_t> clients_{0};
  std::atomic<std::uint64_t> last_id_{0};
  std::mutex mutex_;      // guards by_address_
  Addresses by_address_;  // empty without a limit per address
};

}  // namespace syncrelay
