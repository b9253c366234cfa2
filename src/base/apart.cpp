#include "syncrelay/base/apart.h"

#include <thread>
#include <utility>

namespace syncrelay {

std::future<void> run_apart(std::function<void()> work) {
  std::packaged_task<void()> task(std::move(work));
  std::future<void> done = task.get_future();
  std::thread(std::move(task)).detach();
  return done;
}

}  // namespace syncrelay
