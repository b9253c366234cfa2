#include "syncrelay/post/update.h"

namespace syncrelay {

std::size_t weight(const Update& update) {
  std::size_t bytes = sizeof(Update) + update.size;
  if (update.changes) {
    for (const StateChange& change : *update.changes)
      bytes += change.key.size() + (change.value ? change.value->size() : 0);
  }
  if (update.also) {
    for (const Update& part : *update.also) bytes += weight(part);
  }
  return bytes;
}

}  // namespace syncrelay
