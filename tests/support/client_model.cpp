#include "support/client_model.h"

#include <charconv>

namespace syncrelay::testing {
namespace {

std::string beginning(const std::string& type, const std::string& channel) {
  const std::string member = channel.empty() ? "" : R"(,"channel":")" + channel + '"';
  return R"({"type":")" + type + '"' + member + R"(,"data":)";
}

// The number behind the last `"name":` of the text.
std::optional<std::uint64_t> last_number(std::string_view text, std::string_view name) {
  const std::string pattern = '"' + std::string(name) + "\":";
  const std::size_t at = text.rfind(pattern);
  if (at == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  const char* const begin = text.data() + at + pattern.size();
  if (std::from_chars(begin, text.data() + text.size(), number).ec != std::errc()) {
    return std::nullopt;
  }
  return number;
}

// The members that follow `data` in a first message, but for the time: `,"ts":<time>,"seq":…`
std::optional<std::string_view> behind_time(std::string_view members) {
  constexpr std::string_view kTime = R"(,"ts":)";
  if (members.substr(0, kTime.size()) != kTime) return std::nullopt;
  const std::size_t end = members.find_first_not_of("0123456789.", kTime.size());
  if (end == std::string_view::npos) return std::nullopt;
  return members.substr(end);
}

}  // namespace

ClientModel::ClientModel(const History& history, std::string epoch, const std::string& channel)
    : history_(history),
      epoch_(std::move(epoch)),
      full_(beginning("sync:full", channel)),
      resume_(beginning("sync:resume", channel)) {}

void ClientModel::take(const std::vector<WireMessage>& messages) {
  for (const WireMessage& message : messages) {
    if (fault_.empty()) take(message);
  }
}

void ClientModel::take(const WireMessage& message) {
  const std::string_view text = message.text;
  if (message.opcode == Opcode::ping) {
    ++pings_;
  } else if (message.opcode != Opcode::text) {
    fail("unexpected control frame", text);
  } else if (text.substr(0, full_.size()) == full_) {
    take_snapshot(text);
  } else if (text.substr(0, resume_.size()) == resume_) {
    take_resume(text);
  } else if (!position_) {
    fail("the first message is neither snapshot nor resume", text);
  } else if (text == R"({"type":"ping"})") {
    ++heartbeats_;
  } else {
    take_event(text);
  }
}

void ClientModel::take_snapshot(std::string_view text) {
  const std::size_t end = text.rfind(R"(,"ts":)");
  const auto seq = last_number(text, "seq");
  if (end == std::string_view::npos || !seq) return fail("not a snapshot", text);
  const std::string_view state = text.substr(full_.size(), end - full_.size());
  if (!history_.state_was(*seq, state)) return fail("the state was never that", text);
  std::string members = R"(,"seq":)" + std::to_string(*seq) + R"(,"epoch":")" + epoch_ + '"';
  if (position_) {
    if (*seq <= *position_) return fail("a snapshot that goes back", text);
    members += R"(,"skipped":)" + std::to_string(*seq - *position_);
    skipped_ += *seq - *position_;
  } else {
    joined_at_ = *seq;
  }
  if (behind_time(text.substr(end)) != members + '}') return fail("wrong members", text);
  position_ = *seq;
  ++snapshots_;
}

void ClientModel::take_resume(std::string_view text) {
  const auto seq = last_number(text, "seq");
  const auto to = last_number(text, "to");
  const std::size_t end = text.rfind(R"(,"ts":)");
  if (position_ || !seq || !to || end == std::string_view::npos) {
    return fail("not a resume", text);
  }
  const std::string data =
      R"({"from":)" + std::to_string(*seq + 1) + R"(,"to":)" + std::to_string(*to) + '}';
  const std::string members =
      R"(,"seq":)" + std::to_string(*seq) + R"(,"epoch":")" + epoch_ + R"("})";
  if (text.substr(resume_.size(), end - resume_.size()) != data) return fail("wrong range", text);
  if (behind_time(text.substr(end)) != members) return fail("wrong members", text);
  if (*to < *seq || *to > history_.position()) return fail("wrong end", text);
  position_ = joined_at_ = *seq;
  ++resumes_;
}

void ClientModel::take_event(std::string_view text) {
  const std::uint64_t seq = *position_ + 1;
  if (seq > history_.position()) return fail("an event that never was", text);
  if (text != history_.event(seq)) return fail("not event " + std::to_string(seq), text);
  position_ = seq;
  ++events_;
}

void ClientModel::end(std::uint64_t skipped) {
  if (position_ && *position_ + skipped != history_.position())
    fail("dropped with " + std::to_string(skipped) + " skipped", {});
  skipped_ += skipped;
}

void ClientModel::fail(const std::string& why, std::string_view text) {
  const std::string shown = text.size() <= 200 ? std::string(text)
                                               : std::string(text.substr(0, 100)) + " … " +
                                                     std::string(text.substr(text.size() - 100));
  fault_ = why + (position_ ? " at position " + std::to_string(*position_) : " at the start") +
           ": " + shown;
}

}  // namespace syncrelay::testing
