#include "explain_answer.h"

#include <algorithm>

#include "syncrelay/ipc/story_text.h"
#include "syncrelay/json/json_text.h"

namespace syncrelay {
namespace {

// Without the braces around it.
std::string members_of(const Told::Connection& told) {
  std::string out = R"("connection":)" + std::to_string(told.id.value);
  out += told.now ? R"(,"live":true)" : R"(,"live":false)";
  out += R"(,"story":)" + story_lines(told.story);
  if (told.story.dropped() > 0) {
    out += R"(,"dropped":)" + std::to_string(told.story.dropped());
    out += R"(,"dropped_at":)" + std::to_string(told.story.gap());
  }
  if (told.now) out += R"(,"now":)" + client_object(*told.now);
  return out;
}

}  // namespace

std::string explain_answer(const AnswerContext& context, const Explanations::Done& done) {
  std::string answer = begin_answer(context) + R"(,"client":)";
  append_json_string(answer, done.client);
  answer += ',' + members_of(done.stories.front());
  if (done.stories.size() > 1) {
    answer += R"(,"earlier":[)";
    for (std::size_t at = 1; at < done.stories.size(); ++at)
      answer.append(at > 1 ? ",{" : "{").append(members_of(done.stories[at])) += '}';
    answer += ']';
  }
  if (done.more > 0) answer += R"(,"more":)" + std::to_string(done.more);
  return answer + '}';
}

}  // namespace syncrelay
