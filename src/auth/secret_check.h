#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace syncrelay {

// Why the content of a file is not taken for a secret: it is a key, a certificate or a set of them
// in a form that others may have, too, so that whoever has it could sign tokens. The text is for a
// person, and shows nothing of the content. nullopt: it may be a secret.
std::optional<std::string> why_no_secret(std::string_view content);

}  // namespace syncrelay
