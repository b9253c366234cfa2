#pragma once

#include <span>
#include <string>

#include "syncrelay/config/option.h"
#include "syncrelay/config/verb.h"

namespace syncrelay::config {

// What the help says of an option: what it is for, and in brackets its range and its default.
std::string describe(const Option& option);

// The help of a verb that is not `serve`: its usage, the options it knows, and those of `table`
// that say where the relay is which it asks.
std::string verb_help(const Verb& verb, std::span<const Option> table);

}  // namespace syncrelay::config
