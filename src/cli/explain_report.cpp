#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/cli/color.h"
#include "syncrelay/cli/json_printer.h"
#include "syncrelay/cli/report.h"
#include "syncrelay/cli/table.h"
#include "syncrelay/json/json_parts.h"

namespace syncrelay {
namespace {

std::string text_in(std::string_view json, std::string_view name) {
  return printable(decoded_json_string(json_member(json, name)));
}

// "2026-11-26 12:34:56.789", local time.
std::string time_of(std::string_view timestamp) {
  const double seconds = std::strtod(std::string(timestamp).c_str(), nullptr);
  const auto whole = static_cast<std::time_t>(seconds);
  std::tm parts{};
  localtime_r(&whole, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03d",
                static_cast<int>((seconds - static_cast<double>(whole)) * 1000));
  return std::string(text) + fraction;
}

// From where a refused command came: "http", "push ipc:///run/syncrelay/commands.sock".
std::string source_of(std::string_view refused) {
  const std::string endpoint = text_in(refused, "endpoint");
  return text_in(refused, "source") + (endpoint.empty() ? "" : ' ' + endpoint);
}

// Where in it: "byte 17", "command 3, byte 40".
std::string place_in(std::string_view refused) {
  const std::string_view index = json_member(refused, "index");
  return (index.empty() ? "" : "command " + printable(index) + ", ") + "byte " +
         printable(json_member(refused, "offset"));
}

std::string now_line(std::string_view now) {
  const auto number = [now](std::string_view name) { return printable(json_member(now, name)); };
  return "Now: follows channels: " + number("channels") + ", events behind: " + number("lag") +
         ", bytes sent: " + number("bytes") + ", last sign of life " + number("last_pong") +
         " s ago.\n";
}

// What is known of one connection.
std::string story(std::string_view told, bool color) {
  const bool live = json_member(told, "live") == "true";
  const std::string title =
      "Connection " + printable(json_member(told, "connection")) + (live ? "" : " (gone)");
  std::string out = color::paint(title, color::kBold, color) + '\n';
  const std::string_view dropped = json_member(told, "dropped");
  const std::string_view gap = json_member(told, "dropped_at");
  std::size_t index = 0;
  for (const JsonPart& line : json_parts(json_member(told, "story"))) {
    if (!dropped.empty() && std::to_string(index++) == gap)
      out += "… " + printable(dropped) + " lines out of the middle are not kept …\n";
    out += color::paint(time_of(json_member(line.value, "ts")), color::kDim, color) + "  ";
    out += text_in(line.value, "text") + '\n';
  }
  if (const std::string_view now = json_member(told, "now"); !now.empty()) out += now_line(now);
  return out;
}

}  // namespace

std::string refused_report(std::string_view answer, bool color) {
  const std::vector<JsonPart> refused = json_parts(json_member(answer, "refused"));
  if (refused.empty()) return {};
  Table table({{"time"}, {"source"}, {"op"}, {"channel"}, {"reason"}, {"at"}, {"why"}});
  for (const JsonPart& each : refused)
    table.add({time_of(json_member(each.value, "ts")), source_of(each.value),
               text_in(each.value, "op"), text_in(each.value, "channel"),
               text_in(each.value, "reason"), place_in(each.value), text_in(each.value, "detail")});
  return table.text(color);
}

std::string explain_report(std::string_view answer, bool color) {
  std::string out = story(answer, color);
  for (const JsonPart& earlier : json_parts(json_member(answer, "earlier")))
    out += '\n' + story(earlier.value, color);
  if (const std::string_view more = json_member(answer, "more"); !more.empty())
    out += "\nAnd connections before these: " + printable(more) + ".\n";
  return out;
}

}  // namespace syncrelay
