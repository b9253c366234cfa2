#pragma once

#include <array>
#include <string>

#include "syncrelay/config/invocation.h"
#include "syncrelay/protocol/limits.h"

// What verbs and their options have in common.
namespace syncrelay::config {

inline constexpr std::array kInChannels = {Action::state,   Action::set,     Action::merge,
                                           Action::remove,  Action::publish, Action::watch,
                                           Action::clients, Action::members};
inline constexpr std::array kManyChannels = {Action::publish, Action::watch};

inline std::string channel_name_rule() {
  return "(a name is 1 to " + std::to_string(kMaxChannelBytes) + " of A-Z a-z 0-9 _ . : ~ - @ /)";
}

}  // namespace syncrelay::config
