#include "syncrelay/channel/replica.h"

namespace syncrelay {

Replica::Replica(const std::vector<std::string>& configured_keys, EventLog::Bounds window)
    : log_(window) {
  const auto null = std::make_shared<const std::string>("null");
  for (const std::string& key : configured_keys) state_.set(key, null);
}

void Replica::apply(const Update& update) {
  if (update.changes) {
    state_.apply(*update.changes);
    ++state_version_;
  }
  if (update.chunk) log_.append(update);
}

void Replica::restore(const Restored& restored) {
  log_.start_at(restored.last.next());
  for (const Update& update : restored.updates) apply(update);
}

}  // namespace syncrelay
