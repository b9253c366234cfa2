#include "syncrelay/redis/cluster_options.h"

namespace syncrelay {
namespace {

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::string_view name_of(std::string_view line) {
  return line.substr(0, line.find('='));
}

std::string value_of(std::string_view line) {
  const std::size_t mark = line.find('=');
  return mark == std::string_view::npos ? "unknown" : std::string(line.substr(mark + 1));
}

}  // namespace

std::string text_of(const ClusterOptions& options) {
  std::string text = "log-version=1\n";
  for (const auto& [name, value] : options) text += name + '=' + value + '\n';
  return text;
}

std::optional<std::string> difference(std::string_view cluster, std::string_view own) {
  while (!cluster.empty() || !own.empty()) {
    const std::string_view theirs = take_line(cluster), ours = take_line(own);
    if (theirs == ours) continue;
    const std::string_view name = name_of(ours.empty() ? theirs : ours);
    const bool known = name_of(theirs) == name;
    return std::string(name) + ", which is " + (known ? value_of(theirs) : "unknown") +
           " in the cluster and " + value_of(ours) + " here";
  }
  return std::nullopt;
}

}  // namespace syncrelay
