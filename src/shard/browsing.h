#pragma once

#include "syncrelay/channel/replica.h"
#include "syncrelay/post/browse.h"

namespace syncrelay {

// What is asked for, out of the window. Its shard's thread only.
Browsed browse(const Replica& replica, const Browse& wish);

}  // namespace syncrelay
