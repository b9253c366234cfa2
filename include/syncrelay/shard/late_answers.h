#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace syncrelay {

// Answers to a client that come behind events that it is slow to take, in order. Bounded by
// Session::bound_untold(). Its shard's thread only.
class LateAnswers {
 public:
  bool empty() const { return answers_.empty(); }
  std::size_t bytes() const { return bytes_; }  // of the texts

  // It goes out when the events before this place in the log have.
  void add(std::uint64_t behind, std::string_view text) {
    answers_.push_back({behind, std::string(text)});
    bytes_ += text.size();
  }

  // Calls `tell(text)` for those that need not wait any more, from the first on: until
  // `owes(place)` says that an event before that place is still to be written.
  template <typename Owes, typename Tell>
  void tell(Owes owes, Tell tell) {
    auto next = answers_.begin();
    for (; next != answers_.end() && !owes(next->behind); ++next) {
      bytes_ -= next->text.size();
      tell(next->text);
    }
    answers_.erase(answers_.begin(), next);
  }

 private:
  struct Answer {
    std::uint64_t behind;
    std::string text;
  };

  std::vector<Answer> answers_;
  std::size_t bytes_ = 0;
};

}  // namespace syncrelay
