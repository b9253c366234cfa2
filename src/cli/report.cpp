#include "syncrelay/cli/report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "syncrelay/cli/color.h"
#include "syncrelay/cli/json_printer.h"
#include "syncrelay/cli/table.h"
#include "syncrelay/json/json_parts.h"

namespace syncrelay {
namespace {

using Align = Table::Align;

double number(std::string_view json) {
  return std::strtod(std::string(json).c_str(), nullptr);
}

std::string member_text(std::string_view json, std::string_view name) {
  return printable(without_quotes(json_member(json, name)));
}

std::string format(const char* pattern, double value) {
  char text[32];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

// In the largest unit that leaves at least one of it.
std::string in_units(double value, const std::array<const char*, 4>& patterns,
                     const std::array<double, 3>& steps) {
  std::size_t unit = 0;
  while (unit < steps.size() && value >= steps[unit]) value /= steps[unit++];
  return format(patterns[unit], value);
}

std::string duration(double seconds) {
  return in_units(seconds < 0 ? 0 : seconds, {"%.1f s", "%.1f min", "%.1f h", "%.1f d"},
                  {60, 60, 24});
}

std::string size(double bytes) {
  return in_units(bytes, {"%.0f B", "%.1f KiB", "%.1f MiB", "%.1f GiB"}, {1024, 1024, 1024});
}

// "12:34:56.789", local time.
std::string time_of_day(double timestamp) {
  const auto whole = static_cast<std::time_t>(timestamp);
  std::tm parts{};
  localtime_r(&whole, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%H:%M:%S.", &parts);
  const double fraction = timestamp - static_cast<double>(whole);
  return text + format("%03.0f", std::floor(fraction * 1000));
}

bool has_its_place(std::string_view member) {
  constexpr std::array<std::string_view, 5> kPlaced = {"type", "channel", "data", "ts", "seq"};
  return std::find(kPlaced.begin(), kPlaced.end(), member) != kPlaced.end();
}

// Beside the members that have places of their own.
std::string other_members(std::string_view message, bool color) {
  std::string out;
  for (const JsonPart& part : json_parts(message)) {
    if (has_its_place(part.name)) continue;
    out += "  " + color::paint(printable(part.name), color::kDim, color) + '=';
    out += print_json(part.value, {false, color});
  }
  return out;
}

// "; radio has version 18 now, lock is not there now".
std::string present_versions(std::string_view error) {
  std::string out;
  for (const JsonPart& key : json_parts(json_member(error, "current"))) {
    const std::string_view version = json_member(key.value, "version");
    out += (out.empty() ? "; " : ", ") + printable(key.name);
    out += version == "0" ? " is not there now" : " has version " + printable(version) + " now";
  }
  return out;
}

std::string place_of(std::string_view channel, std::string_view seq) {
  const std::string where = channel.empty() ? "" : "in " + printable(channel) + ' ';
  return where + "at position " + printable(seq);
}

// Those of an object in it as "object.name".
void add_counters(std::string_view stats, const std::string& before, Table& table) {
  for (const JsonPart& part : json_parts(stats)) {
    const std::string name = before + printable(part.name);
    if (part.value.starts_with('{')) {
      add_counters(part.value, name + '.', table);
    } else {
      table.add({name, printable(without_quotes(part.value))});
    }
  }
}

}  // namespace

std::string clients_report(std::string_view answer, WallTime now, bool color) {
  std::vector<JsonPart> clients = json_parts(json_member(answer, "clients"));
  if (clients.empty()) return {};
  std::stable_sort(clients.begin(), clients.end(), [](const JsonPart& one, const JsonPart& other) {
    return number(json_member(one.value, "id")) < number(json_member(other.value, "id"));
  });
  const double seconds_now = static_cast<double>(now.microseconds) / 1e6;
  Table table({{"id", Align::right},
               {"address"},
               {"identity"},
               {"connected", Align::right},
               {"channels", Align::right},
               {"lag", Align::right},
               {"sent", Align::right},
               {"last sign", Align::right}});
  for (const JsonPart& client : clients) {
    table.add({member_text(client.value, "id"), member_text(client.value, "address"),
               member_text(client.value, "identity"),
               duration(seconds_now - number(json_member(client.value, "since"))),
               member_text(client.value, "channels"), member_text(client.value, "lag"),
               size(number(json_member(client.value, "bytes"))),
               duration(number(json_member(client.value, "last_pong")))});
  }
  return table.text(color);
}

std::string members_report(std::string_view answer, WallTime now, bool color) {
  const std::vector<JsonPart> members = json_parts(json_member(answer, "members"));
  if (members.empty()) return {};
  const double seconds_now = static_cast<double>(now.microseconds) / 1e6;
  Table table({{"id"}, {"here", Align::right}, {"info"}});
  for (const JsonPart& member : members) {
    table.add({printable(member.name),
               duration(seconds_now - number(json_member(member.value, "since"))),
               printable(json_member(member.value, "info"))});
  }
  return table.text(color);
}

std::string channels_report(const std::vector<std::string>& channels, bool color) {
  Table table({{"name"},
               {"seq", Align::right},
               {"subscribers", Align::right},
               {"keys", Align::right},
               {"bytes", Align::right}});
  for (const std::string& channel : channels) {
    const std::string name = member_text(channel, "name");
    table.add({name.empty() ? "(default)" : name, member_text(channel, "seq"),
               member_text(channel, "subscribers"), member_text(channel, "keys"),
               size(number(json_member(channel, "bytes")))});
  }
  return table.text(color);
}

std::string versioned_state(std::string_view answer) {
  const std::string_view versions = json_member(answer, "versions");
  std::string out = "{";
  for (const JsonPart& key : json_parts(json_member(answer, "state"))) {
    const std::string_view version = json_member(versions, key.name);
    if (out.size() > 1) out += ',';
    out.append("\"").append(key.name).append("\":{\"version\":");
    out.append(version.empty() ? "null" : version).append(",\"value\":").append(key.value) += '}';
  }
  return out + '}';
}

std::string refusal_report(std::string_view answer) {
  const std::string_view error = json_member(answer, "error");
  return "refused: " + printable(without_quotes(json_member(error, "code"))) + ": " +
         printable(decoded_json_string(json_member(error, "message"))) + present_versions(error);
}

std::string position_report(std::string_view answer, std::string_view channel) {
  std::string out;
  for (const JsonPart& part : json_parts(json_member(answer, "positions"))) {
    const std::string_view name = part.name.empty() ? "the default channel" : part.name;
    out += (out.empty() ? "" : ", ") + place_of(name, json_member(part.value, "seq"));
  }
  if (out.empty()) out = place_of(channel, json_member(answer, "seq"));
  return out + "; clients: " + printable(json_member(answer, "clients"));
}

std::string flat_stats(std::string_view answer) {
  std::string out = "{";
  const auto append = [&out](const JsonPart& part) {
    if (out.size() > 1) out += ',';
    out.append("\"").append(part.name).append("\":").append(part.value);
  };
  const std::string_view stats = json_member(answer, "stats");
  for (const JsonPart& part : json_parts(answer)) {
    const bool is_counter = !json_member(stats, part.name).empty();
    if (part.name != "ok" && part.name != "stats" && !is_counter) append(part);
  }
  for (const JsonPart& part : json_parts(stats)) append(part);
  return out + '}';
}

std::string stats_report(std::string_view answer, bool color) {
  Table table({{"counter"}, {"value", Align::right}});
  add_counters(flat_stats(answer), {}, table);
  return table.text(color);
}

std::string message_line(std::string_view message, bool color) {
  const std::string_view ts = json_member(message, "ts");
  std::string line;
  if (!ts.empty()) line = color::paint(time_of_day(number(ts)), color::kDim, color) + "  ";
  if (const std::string seq = member_text(message, "seq"); !seq.empty()) {
    line += color::paint(seq, color::kYellow, color) + "  ";
  }
  if (const std::string channel = member_text(message, "channel"); !channel.empty()) {
    line += color::paint(channel, color::kCyan, color) + "  ";
  }
  line += color::paint(member_text(message, "type"), color::kBold, color);
  if (const std::string_view data = json_member(message, "data"); !data.empty()) {
    line += "  " + print_json(data, {false, color});
  }
  return line + other_members(message, color);
}

}  // namespace syncrelay
