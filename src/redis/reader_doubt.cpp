#include <algorithm>
#include <chrono>
#include <string>
#include <tuple>
#include <utility>

#include "redis/hex.h"
#include "redis/reader.h"
#include "redis/words.h"

namespace syncrelay {
namespace {

// Of what the script `bid` says: the word behind "FOUND", and what it says more.
std::string sentence(FoundingCause cause, std::string_view more) {
  switch (cause) {
    case FoundingCause::empty:
      return "this Redis has none";
    case FoundingCause::demanded:
      return std::string(more);
    case FoundingCause::lost:
      return "this Redis has lost what a relay has read: " + std::string(more);
    case FoundingCause::strangers:
      return "no relay is there that has read this log, so nobody knows whether it is the newest";
    case FoundingCause::missing:
      return "not all relays were back in time, and what they have read nobody knows; missing: " +
             std::string(more);
  }
  return {};
}

bool is_to_found(std::string_view word) {
  return word.starts_with("FOUND ");
}

}  // namespace

// Nobody appends now, so the end of the log is where it is. Bids until it is settled, or until this
// relay is the one to found.
Reader::Next Reader::settle(const Survey& survey) {
  shared_.stats.settled = false;
  const NodeId before = relay_;
  if (const Next next = prepare_bid(survey); next != Next::survey || relay_ != before) return next;
  while (!shared_.reading_over) {
    const auto word = bid(survey);
    if (!word) return lost(word.error());
    if (is_to_found(word.value())) return found(survey, word.value());
    if (word.value() != "WAIT") return word.value() == "SETTLED" ? Next::survey : Next::connect;
    wait_for(shared_.reader, kRebid);
  }
  return Next::connect;
}

// Of a log that is not whole nothing can be had but what its newest checkpoint has.
bool Reader::is_further(const Survey& survey) const {
  std::uint64_t generation = survey.generation, n = survey.n;
  if (!survey.whole && !survey.checkpoints.empty()) {
    const Position& newest = survey.checkpoints.back().position;
    generation = newest.generation;
    n = newest.n;
  }
  return std::tie(generation, n) > std::tie(position_.generation, position_.n);
}

// One that is further than this relay is taken over first, and read to its end: under an epoch that
// nobody else has, because it may be one that has gone on elsewhere. Nothing is read under an epoch
// that others have until all have agreed that it goes on here.
Reader::Next Reader::prepare_bid(const Survey& survey) {
  const bool same = survey.epoch == epoch_ && !epoch_.empty();
  if (survey.epoch.empty() || !is_further(survey) || (same && survey.hold == Survey::Hold::held))
    return Next::survey;
  const bool proven =
      survey.hold == Survey::Hold::trimmed && survey.standing != Survey::Standing::unknown;
  if (same && !proven) {
    const Next next = demand_new_epoch(survey, "what this relay has read is not in the log");
    if (next != Next::survey) return next;
  }
  const std::string own_epoch = to_hex(random_number());
  const Next next = load(survey, own_epoch);
  return next == Next::survey && epoch_ == own_epoch ? read_to_end() : next;
}

LogServer::Word Reader::bid(const Survey& survey) {
  pledged_ = survey.replid;
  return server_->bid({relay_, position_, has_same_options(survey), shared_.settings.bid_wait,
                       kBidLife, epoch_, shared_.known.get()});
}

// The others wait for this relay for as long as it goes on bidding. One that has nothing founds
// nothing over a state that it cannot read.
Reader::Next Reader::found(const Survey& survey, std::string_view why) {
  if (position_.is_nothing() && !survey.epoch.empty())
    return lost({RedisError::Kind::refused, "the cluster's state cannot be read"});
  const std::uint64_t number =
      shared_.desk.ask({CheckpointDesk::Purpose::founding, position_, ledger_, epoch_, relay_});
  tell(CheckpointWanted{number});
  auto state = state_for_founding(survey);
  if (!state) return shared_.reading_over ? Next::connect : Next::survey;
  TimePoint last_bid = std::chrono::steady_clock::now();
  const auto written = server_->put(pack_checkpoint(ledger_, *std::move(state)), [&] {
    if (std::chrono::steady_clock::now() - last_bid < kRebid) return true;
    last_bid = std::chrono::steady_clock::now();
    return is_chosen(survey);
  });
  if (!written) return lost(written.error());
  founding_ = Founding{to_hex(random_number()), position_.n};
  gap_.reset();
  const std::uint64_t generation = std::max(survey.generation, position_.generation) + 1;
  const auto word = server_->found(
      {relay_, founding_->epoch, generation, position_, shared_.options, written.value(), ledger_});
  if (!word) return lost(word.error());
  if (word.value() == "OK") tell_founding(why);
  return Next::survey;
}

void Reader::tell_founding(std::string_view why) {
  take_word(why);
  const std::string_view name = take_word(why);
  std::size_t at = 0;
  while (at + 1 < kFoundingCauseNames.size() && kFoundingCauseNames[at] != name) ++at;
  const auto cause = static_cast<FoundingCause>(at);
  shared_.stats.founded[at].add();
  shared_.log.warning(
      "new epoch founded",
      {{"epoch", founding_->epoch}, {"entries", position_.n}, {"why", sentence(cause, why)}});
}

// Nothing: another relay is to found, or the user did not hand its state in, and then another
// relay's turn comes when this one's bid is over.
std::optional<std::string> Reader::state_for_founding(const Survey& survey) {
  const TimePoint end = std::chrono::steady_clock::now() + kStatePatience;
  while (!shared_.reading_over) {
    if (auto made = shared_.desk.take(CheckpointDesk::Purpose::founding))
      return std::move(made->state);
    if (!is_chosen(survey)) return std::nullopt;
    if (std::chrono::steady_clock::now() > end) {
      shared_.log.error("no state to found an epoch with", {});
      wait_for(shared_.reader, 2 * kBidLife);
      return std::nullopt;
    }
    wait_for(shared_.reader, kRebid);
  }
  return std::nullopt;
}

bool Reader::is_chosen(const Survey& survey) {
  const auto word = bid(survey);
  return word && is_to_found(word.value());
}

}  // namespace syncrelay
