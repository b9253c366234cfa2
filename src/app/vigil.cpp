#include "vigil.h"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>

namespace syncrelay {
namespace {

constexpr Duration kLookInterval = std::chrono::seconds(1);

// Whether the process is gone that has to be there: then this one has another parent.
bool is_orphan(const Config& config) {
  return config.parent != 0 && static_cast<std::uint32_t>(getppid()) != config.parent;
}

}  // namespace

Vigil::Vigil(Premises& premises, const ServiceManager& manager)
    : premises_(premises), manager_(manager), next_look_(premises.clock.now() + kLookInterval) {}

int Vigil::look(const timespec& longest) {
  if (ending_ != 0) return ending_;
  if (is_orphan(premises_.config)) return ending_ = kOrphaned;
  sigset_t signals;
  sigemptyset(&signals);
  for (const int each : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, each);
  const int number = sigtimedwait(&signals, nullptr, &longest);
  if (number == SIGHUP) reload();
  if (number > 0 && number != SIGHUP) return ending_ = number;
  if (premises_.clock.now() < next_look_) return 0;
  next_look_ = premises_.clock.now() + kLookInterval;
  premises_.look_after();
  return 0;
}

// A service manager that was never told of a start would take the end of this for one.
void Vigil::reload() {
  if (premises_.told_ready) manager_.tell_reloading();
  premises_.reload();
  if (premises_.told_ready) manager_.tell_ready();
}

}  // namespace syncrelay
