#pragma once

#include <string>
#include <string_view>

#include "syncrelay/channel/state.h"

namespace syncrelay {

// What clients see of a member, `{"info":{…},"since":1763838000.123456}`, and its parts: what it
// says of itself, and when it came, as append_timestamp() writes it.
struct Member {
  std::string_view info;  // JSON object
  std::string_view since;
};
std::string member_text(const Member& member);
// Points into `text`. Precondition: member_text() made it.
Member member_of(std::string_view text);

// Whether a text is such a one; `info` is taken as it is.
bool is_member_text(std::string_view text);

// The members as a front end's own registry lists them, in the order of arrival:
// `[{"id":"dev-1",…,"connected_at":1763838000.123456}]`, with the members of each one's info in the
// middle, but for those that are called as the two of the list.
std::string member_list(const State& members);

}  // namespace syncrelay
