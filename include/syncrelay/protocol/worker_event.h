#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace syncrelay {

// What a worker may hear of: what clients say to the backend, and notices of who came and went.
enum class WorkerEvent : std::uint8_t { message, connected, disconnected, joined, left };

inline constexpr std::array<std::string_view, 5> kWorkerEventNames = {
    "message", "connected", "disconnected", "joined", "left"};

constexpr std::string_view name(WorkerEvent event) {
  return kWorkerEventNames[static_cast<std::size_t>(event)];
}

constexpr std::optional<WorkerEvent> worker_event_named(std::string_view name) {
  for (std::size_t event = 0; event < kWorkerEventNames.size(); ++event) {
    if (kWorkerEventNames[event] == name) return static_cast<WorkerEvent>(event);
  }
  return std::nullopt;
}

// A set of them.
class WorkerEvents {
 public:
  using Bits = std::uint8_t;

  constexpr WorkerEvents() = default;
  constexpr explicit WorkerEvents(Bits bits) : bits_(bits) {}

  constexpr bool has(WorkerEvent event) const { return (bits_ & bit(event)) != 0; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr Bits bits() const { return bits_; }

  constexpr WorkerEvents& add(WorkerEvent event) {
    bits_ = static_cast<Bits>(bits_ | bit(event));
    return *this;
  }
  constexpr WorkerEvents& remove(WorkerEvent event) {
    bits_ = static_cast<Bits>(bits_ & ~bit(event));
    return *this;
  }
  constexpr bool operator==(const WorkerEvents&) const = default;

 private:
  static constexpr Bits bit(WorkerEvent event) {
    return static_cast<Bits>(1U << static_cast<unsigned>(event));
  }

  Bits bits_ = 0;
};

// Calls `visit(event)` for each that is in the set, in the order of the enum.
template <typename Visit>
constexpr void for_each(WorkerEvents events, Visit visit) {
  for (std::size_t index = 0; index < kWorkerEventNames.size(); ++index) {
    if (events.has(static_cast<WorkerEvent>(index))) visit(static_cast<WorkerEvent>(index));
  }
}

}  // namespace syncrelay
