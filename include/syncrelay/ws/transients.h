#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// A connection that is no client: before its upgrade, asking for a page, or on its way out. Has
// until its deadline to become one or to be gone.
class Transient {
 public:
  explicit Transient(std::string address) : address_(std::move(address)) {}

  std::string_view address() const { return address_; }

 protected:
  ~Transient() = default;

 private:
  friend class Transients;
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

  TimePoint deadline_{};
  TimePoint entered_{};
  const std::string address_;    // without the port
  std::size_t slot_ = kNowhere;  // in Transients; kNowhere: it is not there
};

// The transients of a shard. Bounded without ever shutting the door: when they are too many, the
// one goes that has been there longest of the address that has most of them. So a crowd of silent
// connections displaces itself, and whoever comes with a request gets an answer. Rejected: to turn
// newcomers away at the bound, which lets one address lock everybody out. Its shard's thread only.
class Transients {
 public:
  struct Bounds {
    std::size_t all;
    std::size_t per_address;  // 0: no such bound
  };

  explicit Transients(Bounds bounds) : bounds_(bounds) {}

  // Takes it in until leave(). Precondition: it is not in.
  void enter(Transient& transient, TimePoint now, TimePoint deadline);
  // No effect when it is not in.
  void leave(Transient& transient);

  // Who has to go, if anybody has, so that the bounds hold; the caller ends it. To be called after
  // each enter().
  Transient* surplus(const Transient& newest) const;

  // Those whose time is over.
  std::vector<Transient*> overdue(TimePoint now) const;

  std::size_t size() const { return all_.size(); }

 private:
  std::size_t count(std::string_view address) const;
  Transient* oldest(std::string_view address) const;
  std::string_view most_frequent_address() const;

  const Bounds bounds_;
  std::vector<Transient*> all_;
};

}  // namespace syncrelay
