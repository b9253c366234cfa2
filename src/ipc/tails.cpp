#include "tails.h"

#include <algorithm>
#include <utility>

namespace syncrelay {

bool Tails::add(Envelope& envelope, const Query& query, TimePoint now) {
  if (waiting_.size() + looking_.size() >= kMax) return false;
  Waiting waiting{std::move(envelope), std::string(query.channel_name()), query.after_seq,
                  query.worker.max, now + query.worker.wait};
  if (is_due(waiting, now)) {
    look(std::move(waiting));
  } else {
    waiting_.push_back(std::move(waiting));
  }
  return true;
}

// Who names no position wants the newest ones, whatever there is.
bool Tails::is_due(const Waiting& waiting, TimePoint now) const {
  if (!waiting.after || waiting.until <= now) return true;
  return relay_.channels().position_of(waiting.channel).seq.value > *waiting.after;
}

// The relay knows the event, so that the update with it is on its way to the shard, ahead of this.
void Tails::look(Waiting waiting) {
  Browse browse{next_number_++, nullptr, waiting.after, waiting.max};
  if (!waiting.channel.empty())
    browse.channel = std::make_shared<const std::string>(waiting.channel);
  looking_.emplace(browse.number,
                   std::pair(std::move(waiting.envelope), std::move(waiting.channel)));
  relay_.post(0, std::make_shared<const Browse>(std::move(browse)));
}

void Tails::serve(std::uint64_t events, TimePoint now) {
  const auto end = next_end();
  if (!end || (std::exchange(served_events_, events) == events && now < *end)) return;
  std::vector<Waiting> all = std::exchange(waiting_, {});
  for (Waiting& waiting : all) {
    if (is_due(waiting, now)) {
      look(std::move(waiting));
    } else {
      waiting_.push_back(std::move(waiting));
    }
  }
}

std::optional<TimePoint> Tails::next_end() const {
  if (waiting_.empty()) return std::nullopt;
  return std::min_element(waiting_.begin(), waiting_.end(),
                          [](const Waiting& a, const Waiting& b) { return a.until < b.until; })
      ->until;
}

Tails::Answer Tails::take(Browsed browsed) {
  auto found = looking_.extract(browsed.number);
  auto& [envelope, channel] = found.mapped();
  return {std::move(envelope), std::move(channel), std::move(browsed)};
}

std::vector<Tails::Answer> Tails::end() {
  std::vector<Answer> answers;
  for (Waiting& waiting : waiting_)
    answers.push_back({std::move(waiting.envelope), std::move(waiting.channel), {}});
  waiting_.clear();
  return answers;
}

}  // namespace syncrelay
