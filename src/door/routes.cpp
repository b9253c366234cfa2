#include "syncrelay/door/routes.h"

#include <algorithm>
#include <array>
#include <vector>

#include "syncrelay/json/json_text.h"

namespace syncrelay {
namespace {

// What stands in the place of a NAME becomes the value of `named`.
struct Row {
  std::string_view path;
  DoorPath as;
  std::string_view op;  // empty: none
  std::string_view named = {};
};

// A NAME is percent-encoded: it may hold slashes, and may be empty, which is the default channel.
constexpr std::array<Row, 14> kRows = {{
    {"/commands", DoorPath::commands, ""},
    {"/state", DoorPath::state, "state"},
    {"/channels", DoorPath::channels, "channels"},
    {"/channels/NAME", DoorPath::channels, "state", "channel"},
    {"/channels/NAME/members", DoorPath::channels, "members", "channel"},
    {"/channels/NAME/events", DoorPath::channels, "events", "channel"},
    {"/clients", DoorPath::clients, "clients"},
    {"/clients/NAME", DoorPath::clients, "explain", "client"},
    {"/stats", DoorPath::stats, "stats"},
    {"/history", DoorPath::history, "history"},
    {"/refused", DoorPath::refused, "refused"},
    {"/openapi.json", DoorPath::openapi, ""},
    {"/metrics", DoorPath::metrics, ""},
    {"/health", DoorPath::health, ""},
}};

// Of queries; where an op has another one of that name as text it is not among them.
constexpr std::array<std::string_view, 3> kNumbers = {"max", "wait", "limit"};

std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool fits(const Row& row, const std::vector<std::string_view>& segments, std::string_view& name) {
  const std::vector<std::string_view> wanted = segments_of(row.path);
  if (wanted.size() != segments.size()) return false;
  for (std::size_t index = 0; index < wanted.size(); ++index) {
    if (wanted[index] == "NAME") {
      name = segments[index];
    } else if (wanted[index] != segments[index]) {
      return false;
    }
  }
  return true;
}

// As JSON writes one without a sign or an exponent; all else is left to be refused.
bool is_number(std::string_view text) {
  const std::size_t dot = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, dot);
  const std::string_view part = text.substr(std::min(dot + 1, text.size()));
  const auto has_digits_only = [](std::string_view digits) {
    return digits.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const bool padded = whole.size() > 1 && whole.front() == '0';
  return !whole.empty() && !padded && has_digits_only(whole) && has_digits_only(part) &&
         (dot == text.size() || !part.empty());
}

void add_member(std::string& query, std::string_view name, std::string_view value, bool number) {
  query += ',';
  append_json_string(query, name);
  query += ':';
  if (number && is_number(value)) {
    query += value;
  } else {
    append_json_string(query, value);
  }
}

std::string query_of(const Row& row, std::string_view name, std::string_view arguments) {
  std::string query = R"({"op":)" + json_string(row.op);
  if (!row.named.empty()) add_member(query, row.named, percent_decoded(name), false);
  for (const std::string& argument : arguments_of(arguments)) {
    const std::string_view text = argument;
    const std::size_t end = std::min(text.find('='), text.size());
    const std::string_view member = text.substr(0, end);
    const bool number = std::find(kNumbers.begin(), kNumbers.end(), member) != kNumbers.end() ||
                        (row.op == "events" && member == "after");
    add_member(query, member, text.substr(std::min(end + 1, text.size())), number);
  }
  return query + '}';
}

}  // namespace

Routed route(const HttpRequest& request) {
  if (!request.path().starts_with('/')) return {};
  const std::vector<std::string_view> segments = segments_of(request.path());
  for (const Row& row : kRows) {
    std::string_view name;
    if (!fits(row, segments, name)) continue;
    if (row.as == DoorPath::commands) return {row.as, "POST"};
    return {row.as, "GET, HEAD",
            row.op.empty() ? std::string() : query_of(row, name, request.query())};
  }
  return {};
}

CommandsArguments arguments_of_commands(const HttpRequest& request) {
  CommandsArguments found;
  for (const std::string& argument : arguments_of(request.query())) {
    const std::size_t end = std::min(argument.find('='), argument.size());
    const std::string_view name = std::string_view(argument).substr(0, end);
    if (name != "id") {
      found.fault = Rejection{RejectReason::unknown_member, 0,
                              "commands have the argument \"id\" and no other"};
    } else if (found.id) {
      found.fault = Rejection{RejectReason::duplicate_member, 0, "\"id\" stands twice in the URL"};
    } else {
      found.id = argument.substr(std::min(end + 1, argument.size()));
    }
  }
  return found;
}

}  // namespace syncrelay
