#pragma once

#include <span>
#include <string>
#include <string_view>

#include "syncrelay/base/result.h"
#include "syncrelay/config/invocation.h"
#include "syncrelay/config/settings.h"

namespace syncrelay::config {

// `text` is what the file holds; `path` only names it in origins and errors.
Result<Settings, UsageError> parse_config_file(std::string_view text, std::string_view path,
                                               std::span<const Option> table);

}  // namespace syncrelay::config
