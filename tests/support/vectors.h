#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include <rapidjson/document.h>

namespace syncrelay::testing {

// A file of tests/vectors, the wire examples that all languages read: an array under "vectors".
inline rapidjson::Document load_vectors(const std::string& name) {
  std::ifstream file(std::string(SYNCRELAY_SOURCE_ROOT "/tests/vectors/") + name + ".json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  rapidjson::Document document;
  document.Parse(text.data(), text.size());
  return document;
}

inline std::string string_of(const rapidjson::Value& vector, const char* member) {
  const auto found = vector.FindMember(member);
  if (found == vector.MemberEnd()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

}  // namespace syncrelay::testing
