#pragma once

#include <string>
#include <string_view>

namespace syncrelay {

// The text with its numbers made small and nothing moved: for RapidJSON, which refuses to pass over
// a number that no double can hold. Text that is no JSON stays none, for the same fault at the same
// byte.
std::string with_small_numbers(std::string_view json);

}  // namespace syncrelay
