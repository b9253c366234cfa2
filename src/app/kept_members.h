#pragma once

#include "syncrelay/config/config.h"
#include "syncrelay/protocol/channel_name.h"

namespace syncrelay {

// The channels that keep members.
ChannelPatterns kept_members(const Config& config);

}  // namespace syncrelay
