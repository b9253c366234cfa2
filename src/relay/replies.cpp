#include "syncrelay/relay/replies.h"

namespace syncrelay {

void Replies::add(const Asker& asker, Reply::Content content) {
  const auto line = lines_.find(asker.peer);
  if (line == lines_.end()) {
    ready_.push_back({asker.ticket, std::move(content)});
  } else {
    line->second.push_back(Reply{asker.ticket, std::move(content)});
  }
}

// Of what is said only who says it under which `ref` is kept.
void Replies::expect(const Asker& asker, TimePoint until, const Said* said) {
  Expected expected{asker, until, nullptr};
  if (said != nullptr) {
    said_.emplace(said->sender, said->ref);
    expected.said = std::make_unique<const Said>(
        Said{said->kind, said->connection, said->sender, {}, said->ref, {}});
  }
  lines_[asker.peer].push_back(std::nullopt);
  expected_.push_back(std::move(expected));
}

std::unique_ptr<const Said> Replies::settle(Ticket ticket, Reply::Content content) {
  lose_until(ticket);
  if (expected_.empty()) {
    ready_.push_back({ticket, std::move(content)});
    return nullptr;
  }
  if (told_ == 0) tell(expected_.front().asker, std::move(content));
  return take_first();
}

// Letters of one relay come back in their order, so those before it come no more.
void Replies::lose_until(Ticket ticket) {
  while (!expected_.empty() && expected_.front().asker.ticket != ticket) {
    if (told_ == 0) tell_unknown(expected_.front().asker);
    take_first();
  }
}

// It has been told.
std::unique_ptr<const Said> Replies::take_first() {
  std::unique_ptr<const Said> said = std::move(expected_.front().said);
  if (said) said_.erase({said->sender, said->ref});
  expected_.pop_front();
  if (told_ > 0) --told_;
  return said;
}

bool Replies::expire(TimePoint now) {
  bool any = false;
  for (; expects_any() && expected_[told_].until <= now; ++told_) {
    tell_unknown(expected_[told_].asker);
    any = true;
  }
  return any;
}

std::optional<TimePoint> Replies::next_end() const {
  if (!expects_any()) return std::nullopt;
  return expected_[told_].until;
}

void Replies::tell_unknown(const Asker& asker) {
  counter(stats_.rejected, RejectReason::cluster_unavailable).add();
  tell(asker, Rejection{RejectReason::cluster_unavailable, 0,
                        "the order of all relays has not come back with it in time: it may take "
                        "effect later, send it again with the same id"});
}

// Letters of one peer come back in its order, so this one is the first in its line.
void Replies::tell(const Asker& asker, Reply::Content content) {
  const auto found = lines_.find(asker.peer);
  Line& line = found->second;
  line.front() = Reply{asker.ticket, std::move(content)};
  for (; !line.empty() && line.front(); line.pop_front())
    ready_.push_back(*std::move(line.front()));
  if (line.empty()) lines_.erase(found);
}

}  // namespace syncrelay
