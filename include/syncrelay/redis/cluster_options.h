#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace syncrelay {

// Options by name that decide what letters do. All relays of a cluster have to have the same.
using ClusterOptions = std::vector<std::pair<std::string, std::string>>;

// As they are kept in Redis: "name=value" a line. The form of all that lies in Redis stands first,
// as if it were an option, too.
std::string text_of(const ClusterOptions& options);

// What differs first between two such texts, for a person; nothing: they are the same.
std::optional<std::string> difference(std::string_view cluster, std::string_view own);

}  // namespace syncrelay
