#pragma once

#include <string_view>
#include <vector>

namespace syncrelay::config {

// The candidate with the fewest insertions, deletions, replacements and swaps of neighbours away
// from `word`; the first of equals. Looks at 40 bytes of `word`. Precondition: there are
// candidates.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

// The same where it is near enough to be what was meant: at most one step for each two bytes of
// `word`. Empty: nothing is.
std::string_view near(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace syncrelay::config
