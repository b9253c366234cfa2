#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace syncrelay {

// Applies a JSON merge patch (RFC 7396) to the JSON text `target`. What the patch does not touch
// keeps its bytes: digits, escapes, order; members that the patch brings in follow behind. Where a
// name stands twice in an object, the last counts. nullopt when one of them is no JSON.
std::optional<std::string> merge_patch(std::string_view target, std::string_view patch);

}  // namespace syncrelay
