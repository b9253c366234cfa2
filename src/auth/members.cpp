#include "auth/members.h"

#include <set>

namespace syncrelay {

std::optional<Members> Members::read(std::string_view json) {
  const std::size_t begin = json.find_first_not_of(" \t\r\n");
  if (begin == json.npos || json[begin] != '{' || json_fault(json)) return std::nullopt;
  Members members;
  members.parts_ = json_parts(json);
  std::set<std::string_view> names;
  for (const JsonPart& part : members.parts_) {
    if (part.name.find('\\') != part.name.npos || !names.insert(part.name).second)
      return std::nullopt;
  }
  return members;
}

std::string_view Members::json(std::string_view name) const {
  for (const JsonPart& part : parts_) {
    if (part.name == name) return part.value;
  }
  return {};
}

std::optional<std::string> Members::string(std::string_view name) const {
  const std::string_view value = json(name);
  if (value.empty() || value.front() != '"') return std::nullopt;
  return decoded_json_string(value);
}

}  // namespace syncrelay
