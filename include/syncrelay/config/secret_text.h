#pragma once

#include <string>
#include <string_view>

#include "syncrelay/config/invocation.h"

namespace syncrelay::config {

// Whether a value that should name a file is rather the secret itself (hex, base64, Z85, a long
// phrase, PEM): it must not be shown then. Of a name without a directory in front that is as long
// it says so, too.
bool looks_secret(std::string_view value);

// "PATH: cannot be read: WHY", or, where the path looks like a secret, that a file is to be named.
std::string cannot_read(const std::string& path, const FileError& why);

}  // namespace syncrelay::config
