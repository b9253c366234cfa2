#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/result.h"
#include "syncrelay/config/invocation.h"

// Keys of CURVE (RFC 26) as they stand in files: 40 characters of Z85 (RFC 32), as ZeroMQ writes
// them.
namespace syncrelay::config {

bool is_curve_key(std::string_view text);

// The key that is all of a file's text, but for the ends of lines behind it.
Result<std::string, FileError> curve_key_in(std::string_view text);

// The keys of a file, one a line, behind which anything may follow a blank. Left out are empty
// lines, and those that begin with # and a blank (# alone may begin a key).
Result<std::vector<std::string>, FileError> curve_keys_in(std::string_view text);

// The one key in the file at `path`. The reason begins with the path.
Result<std::string, FileError> read_curve_key(const std::string& path);

}  // namespace syncrelay::config
