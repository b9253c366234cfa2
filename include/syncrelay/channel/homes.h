#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "syncrelay/base/few.h"

namespace syncrelay {

// Names one life of a relay among those that share an order.
using RelayId = std::uint64_t;
inline constexpr RelayId kAlone = 0;  // of a relay that shares it with nobody

// Which of two things that an identity said of itself is the newer one, wherever it said them. The
// relay that heard it counts on from the highest number that it knows, so that what was said after
// something else is newer than that, by no clock.
struct WordStamp {
  std::uint64_t number = 0;  // 0: it said nothing
  RelayId by = kAlone;       // the relay that heard it

  friend auto operator<=>(const WordStamp&, const WordStamp&) = default;
};

// What clients do not see of a member: at which relays it is, and how new its info is. The same for
// all relays that share an order. A relay that is alone keeps none of it.
struct Homes {
  WordStamp word;
  Few<RelayId> relays;  // none twice; never empty of a member

  bool has(RelayId relay) const;
  // False: it was there already, or was not.
  bool add(RelayId relay);
  bool remove(RelayId relay);
};

// The same as bytes of this machine, and back. Precondition of homes_of(): homes_text() made it.
std::string homes_text(const Homes& homes);
Homes homes_of(std::string_view text);

}  // namespace syncrelay
