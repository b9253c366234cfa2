#pragma once

#include <string>

#include "syncrelay/base/result.h"
#include "syncrelay/config/invocation.h"

namespace syncrelay {

// Reads a configuration file, at most 1 MiB of it; larger ones, directories and devices are
// refused.
Result<std::string, FileError> read_text_file(const std::string& path);

}  // namespace syncrelay
