#include "syncrelay/post/update.h"

namespace syncrelay {
namespace {

std::size_t weight(const StateChanges& changes) {
  std::size_t bytes = 0;
  for (const StateChange& change : changes)
    bytes += change.key.size() + (change.value ? change.value->size() : 0);
  return bytes;
}

}  // namespace

std::size_t weight(const Update& update) {
  std::size_t bytes = sizeof(Update) + update.size;
  if (update.changes) bytes += weight(*update.changes);
  if (update.members) bytes += weight(*update.members);
  if (update.also) {
    for (const Update& part : *update.also) bytes += weight(part);
  }
  return bytes;
}

}  // namespace syncrelay
