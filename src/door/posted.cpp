#include "syncrelay/door/posted.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "syncrelay/json/json_parts.h"
#include "syncrelay/json/json_text.h"

namespace syncrelay {
namespace {

constexpr std::string_view kOffset = R"("offset":)";
constexpr std::string_view kIndex = R"(,"index":)";

std::string_view line_at(std::string_view body, std::size_t begin) {
  return body.substr(begin, std::min(body.find('\n', begin), body.size()) - begin);
}

bool is_blank(std::string_view line) {
  return skip_space(line, 0) == line.size();
}

bool is_object(std::string_view line) {
  const std::size_t begin = skip_space(line, 0);
  return begin < line.size() && line[begin] == '{' && !json_fault(line);
}

// Where the next line begins that is not blank; the body's size: there is none.
std::size_t next_line(std::string_view body, std::size_t begin) {
  while (begin < body.size() && is_blank(line_at(body, begin)))
    begin += line_at(body, begin).size() + 1;
  return std::min(begin, body.size());
}

std::optional<std::size_t> number_at(std::string_view text, std::size_t begin) {
  std::size_t number = 0;
  const auto read = std::from_chars(text.data() + begin, text.data() + text.size(), number);
  return read.ec == std::errc() ? std::optional(number) : std::nullopt;
}

// The id as a member of the object that begins at `begin`, for its front.
std::string as_first_member(std::string_view id, std::string_view body, std::size_t begin) {
  const std::size_t next = skip_space(body, begin + 1);
  const bool alone = next < body.size() && body[next] == '}';
  return R"("id":)" + json_string(id) + (alone ? "" : ",");
}

// The words of a refusal are in none of its strings, whose quotes are escaped; but values of keys
// stand between the offset and the index.
std::optional<std::size_t> index_in(std::string_view refusal) {
  const std::size_t found = refusal.rfind(kIndex);
  if (found == std::string_view::npos) return std::nullopt;
  return number_at(refusal, found + kIndex.size());
}

}  // namespace

// Of a single command, too: who prints a line or several, as they come, has said it for all.
void Posted::take_single(std::string body, std::optional<std::string_view> id) {
  const std::size_t begin = skip_space(body, 0);
  if (id && begin < body.size() && body[begin] == '{') {
    const std::string member = as_first_member(*id, body, begin);
    added_ = {begin + 1, member.size()};
    body.insert(added_.at, member);
  }
  text_ = std::move(body);
}

Posted Posted::read(std::string body, bool as_lines, std::optional<std::string_view> id) {
  Posted posted;
  const std::size_t first = next_line(body, 0);
  const std::string_view first_line = line_at(body, first);
  if (!as_lines &&
      (next_line(body, first + first_line.size()) == body.size() || !is_object(first_line))) {
    posted.take_single(std::move(body), id);
    return posted;
  }
  posted.text_ = R"({"op":"batch")";
  if (id) posted.text_.append(R"(,"id":)").append(json_string(*id));
  posted.text_ += R"(,"commands":[)";
  posted.added_ = {0, posted.text_.size()};
  std::size_t number = 1;
  for (std::size_t begin = 0; begin < body.size(); ++number) {
    const std::string_view line = line_at(body, begin);
    if (!is_blank(line)) {
      if (!is_object(line)) {
        posted.lines_ = {{number, begin, 0}};
        posted.added_ = {};
        posted.text_ = line;
        return posted;
      }
      if (!posted.lines_.empty()) posted.text_ += ',';
      posted.lines_.push_back({number, begin, posted.text_.size()});
      posted.text_ += line;
    }
    begin += line.size() + 1;
  }
  posted.text_ += "]}";
  return posted;
}

std::string Posted::told(std::string answer) const {
  if ((lines_.empty() && added_.size == 0) || !answer.starts_with(R"({"ok":false)")) return answer;
  const std::size_t found = answer.find(kOffset);
  if (found == std::string::npos) return answer;
  const std::size_t begin = found + kOffset.size();
  const std::size_t offset = number_at(answer, begin).value_or(0);
  const auto tell = [&](std::size_t place) {
    const std::size_t end = answer.find_first_not_of("0123456789", begin);
    answer.replace(begin, end - begin, std::to_string(place));
  };
  const bool single = !lines_.empty() && lines_.front().at == 0;  // one line, and no batch
  const auto index = single ? std::optional<std::size_t>(0) : index_in(answer);
  if (!index || *index >= lines_.size()) {
    const std::size_t behind = offset - std::min(offset, added_.at);
    tell(offset - std::min(behind, added_.size));
    return answer;
  }
  const Line& line = lines_[*index];
  tell(line.begin + offset - std::min(offset, line.at));
  return answer.insert(answer.rfind("}}"), R"(,"line":)" + std::to_string(line.number));
}

}  // namespace syncrelay
