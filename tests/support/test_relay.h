#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/fake_clock.h"
#include "syncrelay/protocol/command_decoder.h"
#include "syncrelay/relay/relay.h"

namespace syncrelay::testing {

inline Relay::Settings relay_settings(std::uint64_t log_bytes = 1 << 20) {
  return {{{"comparison", "radio"}, 1 << 28, 1 << 16},
          {log_bytes, 100'000},
          {1000, std::chrono::minutes(10)}};
}

// A decoder and a relay whose updates are collected instead of sent.
class TestRelay {
 public:
  explicit TestRelay(const Relay::Settings& settings = relay_settings(), Store* store = nullptr)
      : relay(settings, clock, {&mailbox_}, stats, store) {}

  // Decodes and applies.
  Result<Accepted, Rejection> send(std::string_view json);

  // Publishes; the updates since the last call. Precondition: no store that fails.
  std::vector<Update> take_updates();

  FakeClock clock;
  RelayStats stats;
  CommandDecoder decoder{std::size_t{1} << 26};

 private:
  Mailbox<Letter> mailbox_{{SIZE_MAX, SIZE_MAX}, [] {}};

 public:
  Relay relay;
};

// The wire bytes of the update's event.
std::string wire_of(const Update& update);
// The event's text, put together from its fragments.
std::string text_of(const Update& update);

// An update with an event of this text in a chunk of its own. For tests of what lies behind the
// relay.
Update make_event(Seq seq, std::uint64_t position, std::string_view text, TimePoint accepted = {});

}  // namespace syncrelay::testing
