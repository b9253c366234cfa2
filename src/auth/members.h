#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/json/json_parts.h"

namespace syncrelay {

// The members of a JSON object whose sender may be an attacker. Its text must outlive it.
class Members {
 public:
  // nullopt: no object, or one in which a name is there twice or has an escape, which readers may
  // understand differently (RFC 8725 section 2.4, RFC 7515 section 4).
  static std::optional<Members> read(std::string_view json);

  // The value's JSON text; empty: it is not there.
  std::string_view json(std::string_view name) const;
  bool has(std::string_view name) const { return !json(name).empty(); }

  // The content of a string; nullopt: it is not there, or no string.
  std::optional<std::string> string(std::string_view name) const;

 private:
  std::vector<JsonPart> parts_;
};

}  // namespace syncrelay
