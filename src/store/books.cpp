#include "books.h"

namespace syncrelay {

void Books::add(const EventsRow& row) {
  events_.push_back(row);
  totals_.events += row.count;
  totals_.event_bytes += row.bytes;
  totals_.events_sum ^= row.sum;
}

void Books::add(const IdsRow& row) {
  ids_.push_back(row);
  totals_.ids += row.count;
  totals_.ids_sum ^= row.sum;
}

void Books::put_state(const std::string& key, std::uint64_t sum) {
  const auto [entry, added] = state_.try_emplace(key, sum);
  state_before_.emplace_back(key, added ? std::nullopt : Sum(entry->second));
  if (!added) totals_.state_sum ^= entry->second;
  totals_.state_sum ^= sum;
  entry->second = sum;
}

void Books::remove_state(const std::string& key) {
  const auto found = state_.find(key);
  if (found == state_.end()) return;
  state_before_.emplace_back(key, found->second);
  totals_.state_sum ^= found->second;
  state_.erase(found);
}

const EventsRow* Books::oldest_events() const {
  return trimmed_events_ + 1 < events_.size() ? &events_[trimmed_events_] : nullptr;
}

const IdsRow* Books::oldest_ids() const {
  return trimmed_ids_ + 1 < ids_.size() ? &ids_[trimmed_ids_] : nullptr;
}

void Books::trim_events() {
  const EventsRow& row = events_[trimmed_events_++];
  totals_.events -= row.count;
  totals_.event_bytes -= row.bytes;
  totals_.events_sum ^= row.sum;
}

void Books::trim_ids() {
  const IdsRow& row = ids_[trimmed_ids_++];
  totals_.ids -= row.count;
  totals_.ids_sum ^= row.sum;
}

void Books::begin() {
  before_ = totals_;
  events_before_ = events_.size();
  ids_before_ = ids_.size();
  trimmed_events_ = 0;
  trimmed_ids_ = 0;
  state_before_.clear();
}

void Books::keep() {
  for (; trimmed_events_ > 0; --trimmed_events_) events_.pop_front();
  for (; trimmed_ids_ > 0; --trimmed_ids_) ids_.pop_front();
  state_before_.clear();
}

void Books::undo() {
  totals_ = before_;
  trimmed_events_ = 0;
  trimmed_ids_ = 0;
  events_.resize(events_before_);
  ids_.resize(ids_before_);
  for (; !state_before_.empty(); state_before_.pop_back()) {
    const auto& [key, sum] = state_before_.back();
    if (sum) {
      state_[key] = *sum;
    } else {
      state_.erase(key);
    }
  }
}

}  // namespace syncrelay
