#include "early_door.h"

#include "syncrelay/ws/open_files.h"

namespace syncrelay {
namespace {

std::unique_ptr<Status> catching_up(std::unique_ptr<Status> status) {
  status->catching_up = true;
  return status;
}

}  // namespace

EarlyDoor::EarlyDoor(Premises& premises)
    : premises_(premises),
      outbox_([] {}),
      status_(catching_up(premises.make_status({}))),
      loop_(premises.loop_settings(), premises.shard_settings({}), premises.clock,
            premises.door_stats, outbox_, premises.rules(), *status_, premises.log),
      errands_([] {}, [] {}),
      admin_(premises.make_admin_door(errands_, *status_)) {}

// Who is being answered hears it all, see ShardLoop.
EarlyDoor::~EarlyDoor() {
  stop();
  loop_.begin_drain(premises_.clock.now());
  loop_.join();
}

Result<void, std::string> EarlyDoor::open() {
  {
    const OpenFilesScope scope(premises_.files.all);
    if (auto started = loop_.start(); !started) return started;
  }
  if (admin_) admin_->start();
  acceptor_ = premises_.make_acceptor({&loop_}, admin_.get(), *status_);
  acceptor_->start();
  return {};
}

// Two doors of the admin listener would count in one place.
void EarlyDoor::stop() {
  if (acceptor_) acceptor_->stop();
  if (admin_) admin_->stop();
}

}  // namespace syncrelay
