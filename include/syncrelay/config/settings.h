#pragma once

#include <functional>
#include <map>
#include <string>

#include "syncrelay/config/option.h"

namespace syncrelay::config {

// What one place says about one option, not yet checked.
struct Setting {
  Values values;
  std::string origin;  // "--port", "SYNCRELAY_PORT", "relay.toml:3"; printable
};

// By option name.
using Settings = std::map<std::string, Setting, std::less<>>;

}  // namespace syncrelay::config
