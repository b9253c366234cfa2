#pragma once

#include <string>
#include <string_view>

namespace syncrelay {

// The text for a person, who may read it on a terminal: characters that would command that, reorder
// its text or begin a line of their own show as escapes (\u001b). One rule for all that is printed
// and for the log. Any thread.
std::string printable(std::string_view text);

}  // namespace syncrelay
