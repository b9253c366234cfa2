#pragma once

#include <string>

#include "syncrelay/base/result.h"

namespace syncrelay {

struct CurveSecret {
  std::string secret;  // both in Z85
  std::string public_key;
};

// The secret CURVE key in the file at `path`. Refused is what tells itself a public one, by its
// name or its first line, and a key to which that of `path`.pub does not belong where there is such
// a file. The error names the file, unless the path looks like the secret itself.
Result<CurveSecret, std::string> read_curve_secret(const std::string& path);

}  // namespace syncrelay
