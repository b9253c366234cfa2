#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/result.h"
#include "syncrelay/config/invocation.h"

// Keys of CURVE (RFC 26) as they stand in files: 40 characters of Z85 (RFC 32), as ZeroMQ writes
// them.
namespace syncrelay::config {

// keygen's files say in their first line which key they hold; those of other tools hold it alone.
enum class CurveKind : std::uint8_t { secret_key, public_key };

// The first line of a file of keygen's, without its end.
std::string_view curve_mark(CurveKind kind);

bool is_curve_key(std::string_view text);

// The key that is all of a file's text, but for lines in front of it that begin with # and a blank,
// and the ends of lines behind it. Refused where they say that it is of the other kind.
Result<std::string, FileError> curve_key_in(std::string_view text, CurveKind kind);

// The keys of a file, one a line, behind which anything may follow a blank. Left out are empty
// lines, and those that begin with # and a blank (# alone may begin a key). Refused where one of
// these says that a secret key follows.
Result<std::vector<std::string>, FileError> curve_keys_in(std::string_view text);

// The one key in the file at `path`, which must not end in .pub for a secret one. The reason names
// the path, unless that looks like a secret.
Result<std::string, FileError> read_curve_key(const std::string& path, CurveKind kind);

}  // namespace syncrelay::config
