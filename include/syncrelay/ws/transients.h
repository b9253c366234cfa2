#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// A connection that is no client: before its upgrade, asking for a page, or on its way out. Has
// until its deadline to become one or to be gone. What is known of it lies in Transients, as long
// as it is one: a client has no use for it.
class Transient {
 protected:
  ~Transient() = default;

 private:
  friend class Transients;
  static constexpr std::uint32_t kNowhere = UINT32_MAX;

  std::uint32_t slot_ = kNowhere;  // in Transients; kNowhere: it is not there
};

// The transients of a shard. Bounded without ever shutting the door: when they are too many, the
// one goes that has been there longest; of a network that has more than half of all, that has been
// there longest of its own. So silent connections displace each other, wherever they come from, a
// crowd from one place displaces itself, and whoever comes with a request gets an answer. Rejected:
// to turn newcomers away at the bound, which lets a crowd lock everybody out; to let always the
// most frequent network go, which is a proxy's where silent ones come from many. Its shard's thread
// only.
//
// Those without a network (a proxy's: all that it brings would count as one) are bounded all
// together only.
class Transients {
 public:
  struct Bounds {
    std::size_t all;
    std::size_t per_network;  // 0: no such bound
  };

  explicit Transients(Bounds bounds) : bounds_(bounds) {}

  // Takes it in until leave(). `network`: see network_of(); empty: it has none. Precondition: it is
  // not in.
  void enter(Transient& transient, std::string network, TimePoint now, TimePoint deadline);
  // No effect when it is not in.
  void leave(Transient& transient);

  // Who has to go, if anybody has, so that the bounds hold; the caller ends it. To be called after
  // each enter(). Precondition: `newest` is in.
  Transient* surplus(const Transient& newest) const;

  // Those whose time is over.
  std::vector<Transient*> overdue(TimePoint now) const;

  std::size_t size() const { return all_.size(); }

 private:
  struct Place {
    Transient* who;
    TimePoint entered;
    TimePoint deadline;
    std::string network;
  };

  std::size_t count(std::string_view network) const;
  Transient* oldest() const;
  Transient* oldest_of(std::string_view network) const;
  std::string_view majority() const;

  const Bounds bounds_;
  std::vector<Place> all_;
};

}  // namespace syncrelay
