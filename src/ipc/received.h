#pragma once

#include <string>
#include <vector>

#include "syncrelay/relay/inbox.h"
#include "syncrelay/relay/notices.h"

namespace syncrelay {

// What a worker gets, as members of the answer's JSON object: `"events":[…]`, notices first, and
// how many notices were lost, if any.
std::string received_members(const Notices::Taken& notices,
                             const std::vector<Inbox::Delivery>& deliveries);

}  // namespace syncrelay
