#include "write_backup.h"

#include <unistd.h>

#include "syncrelay/cli/run_request.h"
#include "syncrelay/ipc/lock_file.h"
#include "syncrelay/store/backup_file.h"
#include "syncrelay/store/data_files.h"
#include "syncrelay/store/made_backup.h"

namespace syncrelay {
namespace {

bool is_same_file(const std::string& one, const std::string& other) {
  const auto first = identify(one);
  const auto second = identify(other);
  return first && second && first->same_file(*second);
}

// Whichever relay answers: where --data is given, it must be the one that keeps that directory.
Result<void, std::string> write_backup_of_relay(const Invocation& invocation,
                                                const std::string& path) {
  const Config& config = invocation.config;
  const auto answer = request_backup(invocation);
  if (!answer) return answer.error().why;
  auto made = MadeBackup::find(answer.value().path, answer.value().owner);
  if (!made) return "the relay at " + config.control + ": " + made.error();
  const std::string kept = made.value().directory();
  if (config.data.empty() || is_same_file(kept, config.data)) {
    const auto moved = made.value().move_to(path);
    if (moved) return moved;
    return moved.error() + " (what the relay made is still at " + answer.value().path + ')';
  }
  made.value().remove();
  return "the relay at " + config.control + " keeps " + kept + ", not " + config.data +
         ": give the --runtime-dir (or --control) of the one that does";
}

}  // namespace

Result<void, std::string> write_backup(const Invocation& invocation, const std::string& path) {
  const std::string& data = invocation.config.data;
  if (access(path.c_str(), F_OK) == 0) return path + " is there already";
  if (!data.empty()) {
    if (auto there = find_database(data); !there) return there;
    if (const auto lock = LockFile::acquire(data + "/relay.lock"); lock)
      return back_up_directory(data, path);
  }
  return write_backup_of_relay(invocation, path);
}

}  // namespace syncrelay
