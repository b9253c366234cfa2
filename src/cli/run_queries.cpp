// The verbs that ask a relay what it has, and print it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "request_text.h"
#include "run.h"
#include "syncrelay/base/clock.h"
#include "syncrelay/cli/json_printer.h"
#include "syncrelay/cli/report.h"
#include "syncrelay/json/json_parts.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {

std::string Run::named_channel() const {
  return channel().empty() ? "the default channel" : channel();
}

int Run::clients() {
  // The default channel has its followers, too, which are not all clients.
  const std::string where =
      request_.channels.empty() ? "" : R"(,"channel":)" + json_string(channel());
  const auto answer = ask(R"({"op":"clients")" + where + '}');
  if (!answer) return kFailed;
  if (!console_.pretty) return print(json_member(*answer, "clients"));
  const std::string table = clients_report(*answer, SystemClock().wall(), console_.color);
  if (!table.empty()) return write(table);
  if (request_.channels.empty()) return write("no clients are connected\n");
  return write("no client follows " + named_channel() + '\n');
}

int Run::members() {
  const std::string where = channel().empty() ? "" : R"(,"channel":)" + json_string(channel());
  const auto answer = ask(R"({"op":"members")" + where + '}');
  if (!answer) return kFailed;
  if (json_member(*answer, "kept") == "false")
    tell(named_channel() + " keeps no members: the relay's --presence does not name it");
  if (!console_.pretty) return print(json_member(*answer, "members"));
  const std::string table = members_report(*answer, SystemClock().wall(), console_.color);
  if (!table.empty()) return write(table);
  if (json_member(*answer, "kept") == "false") return kDone;
  return write(named_channel() + " has no members\n");
}

int Run::channels() {
  const std::string prefix = request_.words.empty() ? "" : request_.words[0];
  const std::string query = R"({"op":"channels","limit":)" + std::to_string(kMaxListedChannels) +
                            R"(,"prefix":)" + json_string(prefix);
  std::vector<std::string> listed;
  std::string after;
  while (true) {
    const auto answer = ask(query + after + '}');
    if (!answer) return kFailed;
    const std::vector<JsonPart> page = json_parts(json_member(*answer, "channels"));
    for (const JsonPart& each : page) listed.emplace_back(each.value);
    if (page.empty() || json_member(*answer, "more") != "true") break;
    after = R"(,"after":)" + std::string(json_member(page.back().value, "name"));
  }
  return list(listed);
}

int Run::list(const std::vector<std::string>& channels) {
  if (!console_.pretty) {
    std::string array = "[";
    for (const std::string& channel : channels)
      array.append(array.size() > 1 ? "," : "") += channel;
    return print(array + ']');
  }
  if (!channels.empty()) return write(channels_report(channels, console_.color));
  return write("no channel's name begins with " + printable(request_.words.front()) + '\n');
}

int Run::explain() {
  const auto answer = ask(R"({"op":"explain","client":)" + json_string(request_.words[0]) + '}');
  if (!answer) return kFailed;
  return console_.pretty ? write(explain_report(*answer, console_.color)) : print(*answer);
}

int Run::refused() {
  const auto answer = ask(R"({"op":"refused")" + most() + '}');
  if (!answer) return kFailed;
  if (!console_.pretty) return print(json_member(*answer, "refused"));
  const std::string table = refused_report(*answer, console_.color);
  return write(table.empty() ? "no command was refused\n" : table);
}

// One line an event, as watch prints them.
int Run::events() {
  const std::string name = request_.words.empty() ? "" : request_.words[0];
  std::string query = R"({"op":"events","channel":)" + json_string(name) + most();
  if (request_.after) query += R"(,"after":)" + std::to_string(*request_.after);
  if (request_.wait.count() > 0) query += R"(,"wait":)" + seconds(request_.wait);
  const auto answer = ask(query + '}');
  if (!answer) return kFailed;
  if (const std::string_view skipped = json_member(*answer, "skipped"); !skipped.empty())
    tell(printable(skipped) + " events are kept no more");
  std::string lines;
  for (const JsonPart& event : json_parts(json_member(*answer, "events"))) {
    lines +=
        console_.pretty ? message_line(event.value, console_.color) : on_a_single_line(event.value);
    lines += '\n';
  }
  const int code = write(lines);
  if (json_member(*answer, "more") == "true") tell("there are newer ones: go on with --after");
  return code;
}

// How many are asked for.
std::string Run::most() const {
  return request_.max ? R"(,"max":)" + std::to_string(*request_.max) : std::string();
}

int Run::stats() {
  const auto answer = ask(R"({"op":"stats"})");
  if (!answer) return kFailed;
  if (!console_.pretty) return print(flat_stats(*answer));
  return write(stats_report(*answer, console_.color));
}

}  // namespace syncrelay
