#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "syncrelay/base/log.h"
#include "syncrelay/config/config.h"

namespace syncrelay {

// The files whose content lets somebody be the relay, or anybody: whether others than their owner
// and group can read those that are secret, or write any of them. That is told, and no more: the
// host may have one user. One thread at a time.
class ExposedFiles {
 public:
  // `log` must outlive it.
  ExposedFiles(const Config& config, const Log& log);

  // Warns of each that is exposed.
  void tell();
  // The same of those whose mode is another one than at the last look.
  void tell_if_changed();

 private:
  enum class Secret : std::uint8_t { always, by_content, never };
  struct File {
    std::string path;
    Secret secret;
    mode_t seen = 0;
  };

  void tell(File& file) const;

  const Log& log_;
  std::vector<File> files_;
};

}  // namespace syncrelay
