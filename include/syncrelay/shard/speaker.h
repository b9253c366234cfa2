#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "syncrelay/base/clock.h"
#include "syncrelay/protocol/access.h"
#include "syncrelay/shard/late_answers.h"
#include "syncrelay/shard/message_rate.h"

namespace syncrelay {

struct Identity;

// With what a close frame says that a backend commanded.
struct Parting {
  std::uint16_t code = 0;
  std::string reason;  // UTF-8
};

// What a session is to know of a client that says more than pings and subscriptions. Made when
// needed: most do not.
struct Speaker {
  std::string session;           // of the URL, which the client keeps when it comes again
  Identity* identity = nullptr;  // the shard's; null: it has said none
  MessageRate rate;
  std::optional<Parting> parting;        // it was dismissed
  std::shared_ptr<const Access> access;  // that its token grants; null: it has none
  TimePoint access_ends{};
  TimePoint access_due{};  // when it is to be told that this ends,
  bool warned = false;     // or was told, and it ends
  LateAnswers late;        // the session is held up as long as there are any
};

}  // namespace syncrelay
