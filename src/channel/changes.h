#pragma once

#include <optional>
#include <set>
#include <string>

#include "syncrelay/base/result.h"
#include "syncrelay/channel/state.h"
#include "syncrelay/post/update.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/protocol/rejection.h"

// What a command makes of the state of one channel.
namespace syncrelay {

using KeySet = std::set<std::string>;

// The changes, still without versions. `configured`: keys that are never gone but null. Views of
// the command are copied.
Result<StateChanges, Rejection> changes_of(const Command& command, const State& state,
                                           const KeySet& configured);

// What speaks against the command's `if`: a conflict.
std::optional<Rejection> check_expected(const Command& command, const State& state);

}  // namespace syncrelay
