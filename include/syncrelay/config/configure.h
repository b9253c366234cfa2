#pragma once

#include <span>

#include "syncrelay/base/result.h"
#include "syncrelay/config/invocation.h"
#include "syncrelay/config/option.h"
#include "syncrelay/config/settings.h"

namespace syncrelay::config {

// Adds the environment, the file and the defaults below the `settings` of the command line, checks
// what counts, and sets the invocation's config, origins and warnings. Precondition: the config
// holds the defaults.
Result<void, UsageError> configure(const InvocationInput& input, std::span<const Option> table,
                                   Settings settings, Invocation& invocation);

}  // namespace syncrelay::config
