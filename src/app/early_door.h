#pragma once

#include <memory>
#include <string>

#include "premises.h"
#include "syncrelay/base/result.h"
#include "syncrelay/door/door.h"
#include "syncrelay/post/errands.h"
#include "syncrelay/post/outbox.h"
#include "syncrelay/ws/acceptor.h"
#include "syncrelay/ws/shard_loop.h"
#include "syncrelay/ws/status.h"

namespace syncrelay {

// Stands at the listening sockets while a relay has no epoch: pages are answered, and everybody
// else is asked to come back. A shard and an HTTP door without a relay, whose status lets in
// nobody. Belongs to the thread that builds it.
class EarlyDoor {
 public:
  // The premises must outlive it.
  explicit EarlyDoor(Premises& premises);
  ~EarlyDoor();

  // The error says what could not be had.
  Result<void, std::string> open();
  // What comes now waits in the kernel for who accepts next; up to a second for answers of the
  // admin listener to leave.
  void stop();

 private:
  Premises& premises_;
  Outbox outbox_;  // in which nobody looks: without clients nothing is said
  std::unique_ptr<Status> status_;
  ShardLoop loop_;
  Errands errands_;              // none is sent: there is no relay
  std::unique_ptr<Door> admin_;  // null: there is no admin listener
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace syncrelay
