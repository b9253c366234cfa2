#include "request_text.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <cstdio>

#include "syncrelay/base/printable.h"
#include "syncrelay/cli/report.h"
#include "syncrelay/config/token_text.h"
#include "syncrelay/json/json_parts.h"
#include "syncrelay/json/json_text.h"

namespace syncrelay {

std::string random_id() {
  std::array<std::uint64_t, 2> bits{};
  while (getrandom(bits.data(), sizeof bits, 0) != sizeof bits) {
  }
  char text[40];
  std::snprintf(text, sizeof text, "cli-%016llx%016llx", static_cast<unsigned long long>(bits[0]),
                static_cast<unsigned long long>(bits[1]));
  return text;
}

std::string seconds(std::chrono::milliseconds time) {
  char text[32];
  const auto whole = static_cast<long long>(time.count() / 1000);
  const auto rest = static_cast<int>(time.count() % 1000);
  if (rest == 0) return std::to_string(whole);
  std::snprintf(text, sizeof text, "%lld.%03d", whole, rest);
  return text;
}

std::string channel_members(const std::vector<std::string>& channels) {
  if (channels.empty() || (channels.size() == 1 && channels[0].empty())) return {};
  if (channels.size() == 1) return R"(,"channel":)" + json_string(channels[0]);
  std::string members = R"(,"channels":[)";
  for (const std::string& name : channels) members.append(json_string(name)).append(1, ',');
  members.back() = ']';
  return members;
}

Result<std::string, FileError> token_of(const Request& request) {
  if (request.token_file.empty()) return request.token;
  return read_token_file(request.token_file);
}

std::string nobody_there(const Request& request) {
  const std::string what = "no such connection: ";
  if (request.connection) return what + std::to_string(*request.connection);
  return what + "nobody is connected as " + printable(request.words[0]);
}

std::optional<std::string> fault_of(const std::string& answer, const std::string& control) {
  if (json_fault(answer)) return "what answers at " + control + " is no relay";
  if (json_member(answer, "ok") != "true") return refusal_report(answer);
  return std::nullopt;
}

}  // namespace syncrelay
