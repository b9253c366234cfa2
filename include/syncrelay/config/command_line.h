#pragma once

#include <span>
#include <string>
#include <vector>

#include "syncrelay/base/result.h"
#include "syncrelay/config/invocation.h"
#include "syncrelay/config/settings.h"

namespace syncrelay::config {

// The name of the one option that is no part of the Config: the file that the others may come from.
inline constexpr char kConfigOption[] = "config";

struct CommandLine {
  Action action = Action::serve;
  Settings settings;  // includes kConfigOption
  Request request;
  std::string help;  // empty unless action is help
};

// `arguments` without the program's name; "help" as the first of them is --help.
Result<CommandLine, UsageError> parse_command_line(const std::vector<std::string>& arguments,
                                                   std::span<const Option> table);

}  // namespace syncrelay::config
