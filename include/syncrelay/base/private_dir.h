#pragma once

#include <string>

#include "syncrelay/base/result.h"

namespace syncrelay {

// Makes the directory (0700) when it is not there. An error when it belongs to another user than
// this process's, is a symbolic link or no directory: who owns a directory owns the sockets and
// files in it.
Result<void, std::string> prepare_private_dir(const std::string& path);

}  // namespace syncrelay
