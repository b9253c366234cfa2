#pragma once

#include <string>

#include "syncrelay/base/result.h"
#include "syncrelay/config/invocation.h"

namespace syncrelay {

// The relay makes the file while it runs; without one the files of --data are nobody's, and read
// directly.
Result<void, std::string> write_backup(const Invocation& invocation, const std::string& path);

}  // namespace syncrelay
