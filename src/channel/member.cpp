#include "syncrelay/channel/member.h"

#include <algorithm>
#include <vector>

#include "syncrelay/json/json_parts.h"
#include "syncrelay/json/json_text.h"

namespace syncrelay {
namespace {

constexpr std::string_view kInfo = R"({"info":)";
constexpr std::string_view kSince = R"(,"since":)";

struct Listed {
  std::string_view id;
  Member member;
};

// Times of one number of digits are in the order of their texts.
bool came_before(const Listed& left, const Listed& right) {
  const std::string_view first = left.member.since;
  const std::string_view second = right.member.since;
  if (first.size() != second.size()) return first.size() < second.size();
  return first == second ? left.id < right.id : first < second;
}

std::string unescaped(std::string_view name) {
  std::string quoted = "\"";
  quoted.append(name) += '"';
  return decoded_json_string(quoted);
}

void append_listed(std::string& list, const Listed& listed) {
  list += R"({"id":)";
  append_json_string(list, listed.id);
  for (const JsonPart& part : json_parts(listed.member.info)) {
    const std::string name = unescaped(part.name);
    if (name == "id" || name == "connected_at") continue;
    list.append(",\"").append(part.name).append("\":").append(part.value);
  }
  list.append(R"(,"connected_at":)").append(listed.member.since) += '}';
}

}  // namespace

std::string member_text(const Member& member) {
  std::string text(kInfo);
  text.append(member.info).append(kSince).append(member.since);
  return text += '}';
}

Member member_of(std::string_view text) {
  const std::size_t since = text.rfind(kSince);
  const std::size_t digits = since + kSince.size();
  return {text.substr(kInfo.size(), since - kInfo.size()),
          text.substr(digits, text.size() - digits - 1)};
}

bool is_member_text(std::string_view text) {
  const std::size_t since = text.rfind(kSince);
  return text.starts_with(kInfo) && text.ends_with('}') && since != text.npos &&
         since >= kInfo.size();
}

std::string member_list(const State& members) {
  std::vector<Listed> all;
  all.reserve(members.size());
  members.for_each([&all](const State::Entry& entry) {
    all.push_back({entry.key, member_of(*entry.value)});
  });
  std::sort(all.begin(), all.end(), came_before);
  std::string list = "[";
  for (const Listed& listed : all) {
    if (list.size() > 1) list += ',';
    append_listed(list, listed);
  }
  return list += ']';
}

}  // namespace syncrelay
