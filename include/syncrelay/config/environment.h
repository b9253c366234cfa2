#pragma once

#include <span>
#include <string>
#include <vector>

#include "syncrelay/config/settings.h"

namespace syncrelay::config {

struct EnvironmentReading {
  Settings settings;  // includes kConfigOption
  std::string token;  // SYNCRELAY_TOKEN, which is of a request; empty: none
  std::vector<std::string> warnings;
};

// `environment` holds "NAME=value". Takes SYNCRELAY_<OPTION>; an empty value counts as none.
EnvironmentReading read_environment(const std::vector<std::string>& environment,
                                    std::span<const Option> table);

}  // namespace syncrelay::config
