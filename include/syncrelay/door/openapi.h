#pragma once

#include <string_view>

namespace syncrelay {

// docs/openapi.json, which describes the HTTP door (OpenAPI 3.1): as it lies in the executable.
std::string_view openapi_text();

}  // namespace syncrelay
