#pragma once

#include <string>

#include "syncrelay/base/result.h"

namespace syncrelay {

// Whether there is something to back up. The error says what is not there.
Result<void, std::string> find_database(const std::string& directory);

// Writes a backup of a data directory on which no relay runs to `path`, which must not be there;
// the caller holds the directory's lock. A damaged database is refused. Leaves the directory's
// files as they are.
Result<void, std::string> back_up_directory(const std::string& directory, const std::string& path);

}  // namespace syncrelay
