#pragma once

#include <string>
#include <string_view>

#include "syncrelay/base/result.h"
#include "syncrelay/config/invocation.h"

namespace syncrelay {

// How what is no token is refused, behind its place. What it is stays secret.
inline constexpr std::string_view kNoTokenText = "holds no token: up to 8 KiB of A-Z a-z 0-9 _ . -";

// Whether it may be a token by its letters, so that it fits into a header field.
bool is_token_text(std::string_view text);

// The token that a file holds, without white space at its end. The error names the file.
Result<std::string, FileError> read_token_file(const std::string& path);

}  // namespace syncrelay
