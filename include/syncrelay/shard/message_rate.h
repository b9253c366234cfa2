#pragma once

#include <cstdint>

#include "syncrelay/base/clock.h"

namespace syncrelay {

// How much a client may say that is for others: so many messages a second, and so many at once
// after a silence.
struct MessageBounds {
  std::uint32_t per_second = 20;  // 0: no limit
  std::uint32_t at_once = 40;     // at least 1
};

// One client's share of them. Reads no clock. Its shard's thread only.
class MessageRate {
 public:
  enum class Verdict : std::uint8_t {
    allowed,
    refused,
    hopeless  // refused, and there was no second without a refusal for kHopeless
  };
  static constexpr Duration kHopeless = std::chrono::seconds(10);

  // A message has come at `now`.
  Verdict judge(const MessageBounds& bounds, TimePoint now);

 private:
  TimePoint full_at_{};  // from then on `at_once` messages may come
  TimePoint refused_since_{};
  TimePoint refused_at_{};  // the last one
};

}  // namespace syncrelay
