#pragma once

#include <map>
#include <string>
#include <vector>

#include "syncrelay/config/invocation.h"

namespace syncrelay {

using Words = std::vector<std::string>;

// An invocation by user 1000 that sees only the files it is given.
inline InvocationInput make_input(Words arguments, Words environment = {},
                                  std::map<std::string, std::string> files = {}) {
  InvocationInput input;
  input.arguments = std::move(arguments);
  input.environment = std::move(environment);
  input.user = 1000;
  input.version = "1.2.3";
  input.read_file =
      [files = std::move(files)](const std::string& path) -> Result<std::string, FileError> {
    const auto found = files.find(path);
    if (found == files.end()) return FileError{"No such file or directory"};
    return found->second;
  };
  return input;
}

// One file, relay.toml, that --config names.
inline InvocationInput make_file_input(std::string text) {
  return make_input({"--config", "relay.toml"}, {}, {{"relay.toml", std::move(text)}});
}

// The message, or empty when there is no error.
inline std::string error_of(const InvocationInput& input) {
  const auto result = parse_invocation(input);
  return result ? std::string() : result.error().message;
}

}  // namespace syncrelay
