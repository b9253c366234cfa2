#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace syncrelay::testing {

// What happened, told in the plainest way: the text of every event and the state at every position.
// The model that clients' views are compared with. State keys here need no escaping.
class History {
 public:
  using State = std::map<std::string, std::string>;

  // Its numbers begin behind `start`.
  explicit History(State state, std::uint64_t start = 0) : start_(start), state_(std::move(state)) {
    note_state(true);
  }

  void add_event(std::string text) { events_.push_back(std::move(text)); }
  // The state changes at the present position, without an event.
  void set(const std::string& key, const std::string& value);
  void erase(const std::string& key);
  // An event and a change of state in one step.
  void add_event_with(std::string text, const std::string& key, const std::string& value);

  std::uint64_t start() const { return start_; }
  std::uint64_t position() const { return start_ + events_.size(); }
  const std::string& event(std::uint64_t seq) const { return events_[seq - start_ - 1]; }
  bool has_state() const { return !state_.empty(); }
  const std::string& state_now() const { return *states_.back().text; }
  // Whether a snapshot at position `seq` may show this state: one that was there between the event
  // and the next.
  bool state_was(std::uint64_t seq, std::string_view text) const;

 private:
  struct Moment {
    std::uint64_t seq;
    bool with_event;  // the state of before was never to be seen at this position
    std::shared_ptr<const std::string> text;
  };

  void note_state(bool with_event);

  std::uint64_t start_;
  State state_;
  std::vector<std::string> events_;
  std::vector<Moment> states_;  // by seq
};

}  // namespace syncrelay::testing
