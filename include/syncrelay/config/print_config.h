#pragma once

#include <span>
#include <string>

#include "syncrelay/config/invocation.h"
#include "syncrelay/config/option.h"

namespace syncrelay::config {

// A configuration file that yields the invocation's Config, with every value's origin as a comment.
std::string print_config(const Invocation& invocation, std::span<const Option> table);

}  // namespace syncrelay::config
