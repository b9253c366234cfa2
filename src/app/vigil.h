#pragma once

#include <ctime>

#include "premises.h"
#include "service_manager.h"

namespace syncrelay {

// What a process looks after beside its server: SIGHUP, files that have changed, the process that
// has started it, and what asks it to end. The one way to wait, for a server that waits for its
// cluster, too, which may take hours: a token that was taken back must not count so long. For the
// main thread, which has all these signals blocked.
class Vigil {
 public:
  static constexpr int kOrphaned = -1;  // in the place of a signal: its parent has ended

  // Both must outlive it.
  Vigil(Premises& premises, const ServiceManager& manager);

  // Waits for a signal, for at most so long, and does what is to be done. What asks the process to
  // end, which stays so; 0: nothing does.
  int look(const timespec& longest);

 private:
  void reload();

  Premises& premises_;
  const ServiceManager& manager_;
  TimePoint next_look_;
  int ending_ = 0;
};

}  // namespace syncrelay
