#include "syncrelay/ws/forwarded.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "syncrelay/ws/http_request.h"

namespace syncrelay {
namespace {

constexpr std::string_view kBlanks = " \t";
constexpr const char* kUnknown = "unknown";  // section 6.3

// Reads along one element: NAME=VALUE;NAME="VALUE" …
class ElementReader {
 public:
  explicit ElementReader(std::string_view text) : text_(text) {}

  // False: it is none.
  bool read(std::string& node) { return read_pairs(node) && text_.empty(); }

 private:
  bool read_pairs(std::string& node) {
    do {
      skip_blanks();
      const std::string_view name = token();
      std::string value;
      if (name.empty()) continue;  // what is no pair either ends the reading
      if (!take('=') || !read_value(value)) return false;
      skip_blanks();
      if (!equal_ignoring_case(name, "for")) continue;
      if (!node.empty()) return false;  // section 4: once an element
      node = std::move(value);
    } while (take(';'));
    return true;
  }

  bool read_value(std::string& value) {
    if (take('"')) return read_quoted(value);
    value = token();
    return !value.empty();
  }

  // RFC 9110 section 5.6.4.
  bool read_quoted(std::string& value) {
    while (!text_.empty()) {
      if (take('"')) return true;
      take('\\');
      if (text_.empty()) return false;
      value += text_.front();
      text_.remove_prefix(1);
    }
    return false;
  }

  // What may stand without quotes, and colons and brackets, which some leave unquoted.
  std::string_view token() {
    const std::string_view found =
        text_.substr(0, std::min(text_.find_first_of("=;,\" \t"), text_.size()));
    text_.remove_prefix(found.size());
    return found;
  }

  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  void skip_blanks() {
    text_.remove_prefix(std::min(text_.find_first_not_of(kBlanks), text_.size()));
  }

  std::string_view text_;
};

// Section 6.2: a port, or a name that stands for one.
bool is_node_port(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

// Adds the node of the last element, and returns what stands before its comma, if there is one.
// The shortest end that can be read is an element: what ends within quotes has one quote too many.
std::optional<std::string_view> take_last(std::string_view field, std::vector<std::string>& nodes) {
  constexpr std::size_t kNone = std::string_view::npos;
  for (std::size_t end = field.size(), comma = 0; comma != kNone; end = comma) {
    comma = end == 0 ? kNone : field.rfind(',', end - 1);
    std::string node;
    if (!ElementReader(comma == kNone ? field : field.substr(comma + 1)).read(node)) continue;
    nodes.push_back(std::move(node));
    return comma == kNone ? std::nullopt : std::optional(field.substr(0, comma));
  }
  nodes.emplace_back(kUnknown);
  return std::nullopt;
}

}  // namespace

std::vector<std::string> forwarded_nodes(std::string_view field) {
  std::vector<std::string> nodes;
  for (std::optional<std::string_view> rest = field; rest;) rest = take_last(*rest, nodes);
  std::reverse(nodes.begin(), nodes.end());
  return nodes;
}

std::optional<IpAddress> node_address(std::string_view node) {
  std::string_view address = node;
  std::string_view port;
  if (node.starts_with('[')) {
    const std::size_t end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    address = node.substr(1, end - 1);
    port = node.substr(end + 1);
  } else if (const std::size_t colon = node.find(':'); colon == node.rfind(':')) {
    address = node.substr(0, colon);
    port = node.substr(std::min(colon, node.size()));
  }
  if (!port.empty() && !(port.front() == ':' && is_node_port(port.substr(1)))) return std::nullopt;
  return IpAddress::parse(address);
}

}  // namespace syncrelay
