#include "support/history.h"

#include <algorithm>

namespace syncrelay::testing {

void History::set(const std::string& key, const std::string& value) {
  state_[key] = value;
  note_state(false);
}

void History::erase(const std::string& key) {
  state_.erase(key);
  note_state(false);
}

void History::add_event_with(std::string text, const std::string& key, const std::string& value) {
  events_.push_back(std::move(text));
  state_[key] = value;
  note_state(true);
}

void History::note_state(bool with_event) {
  std::string text = "{";
  for (const auto& [key, value] : state_) {
    if (text.size() > 1) text += ',';
    text += '"' + key + "\":" + value;
  }
  text += '}';
  states_.push_back({position(), with_event, std::make_shared<const std::string>(std::move(text))});
}

bool History::state_was(std::uint64_t seq, std::string_view text) const {
  const auto later = [](std::uint64_t wanted, const Moment& moment) { return wanted < moment.seq; };
  auto moment = std::upper_bound(states_.begin(), states_.end(), seq, later);
  while (moment != states_.begin()) {
    --moment;
    if (*moment->text == text) return true;
    if (moment->seq < seq || moment->with_event) return false;
  }
  return false;
}

}  // namespace syncrelay::testing
