#include "syncrelay/channel/state.h"

#include <algorithm>
#include <utility>

#include "syncrelay/json/json_text.h"

namespace syncrelay {
namespace {

constexpr std::size_t kHalf = State::kMaxBlockEntries / 2;

std::size_t quoted_size(std::string_view key) {
  std::string quoted;
  append_json_string(quoted, key);
  return quoted.size();
}

std::size_t own_size(const State::Entry& entry) {
  return sizeof(State::Entry) + entry.key.size();
}

// A walk through one map's entries beside another's, in the order of the keys.
class Beside {
 public:
  explicit Beside(const State& map) : map_(map) {}

  // Whether the other map holds the same value at this key. Precondition: keys only grow.
  bool holds(const State::Entry& entry) {
    while (const State::Entry* here = at()) {
      if (here->value == entry.value) return true;
      if (here->key > entry.key) return false;
      if (here->key == entry.key) return false;
      ++entry_;
    }
    return false;
  }

  // Whether `block` is one of the other map's own; passes over what lies before it.
  bool holds(const State::Block& block) {
    while (block_ < map_.block_count() && &map_.block(block_) != &block &&
           map_.block(block_).back().key < block.front().key) {
      ++block_;
      entry_ = 0;
    }
    return block_ < map_.block_count() && &map_.block(block_) == &block;
  }

 private:
  const State::Entry* at() {
    if (block_ < map_.block_count() && entry_ == map_.block(block_).size()) {
      ++block_;
      entry_ = 0;
    }
    return block_ < map_.block_count() ? &map_.block(block_)[entry_] : nullptr;
  }

  const State& map_;
  std::size_t block_ = 0;
  std::size_t entry_ = 0;
};

}  // namespace

State::Place State::locate(std::string_view key) const {
  const auto* const behind = std::upper_bound(
      blocks_.begin(), blocks_.end(), key,
      [](std::string_view wanted, const auto& block) { return wanted < block->front().key; });
  if (behind == blocks_.begin()) return {};
  const auto* const block = behind - 1;
  const auto* const entry = std::lower_bound(
      (*block)->begin(), (*block)->end(), key,
      [](const Entry& here, std::string_view wanted) { return here.key < wanted; });
  return {static_cast<std::size_t>(block - blocks_.begin()),
          static_cast<std::size_t>(entry - (*block)->begin()),
          entry != (*block)->end() && entry->key == key};
}

const State::Entry* State::entry(std::string_view key) const {
  const Place place = locate(key);
  return place.found ? &(*blocks_[place.block])[place.entry] : nullptr;
}

const StateValue* State::find(std::string_view key) const {
  const Entry* const found = entry(key);
  return found == nullptr ? nullptr : &found->value;
}

State::Block& State::own(std::size_t index) {
  std::shared_ptr<Block>& block = blocks_[index];
  if (block.use_count() > 1) block = std::make_shared<Block>(*block);
  return *block;
}

void State::set(const std::string& key, StateValue value, std::uint64_t version) {
  const Place place = locate(key);
  text_bytes_ += value->size();
  bytes_ += value->size();
  if (!place.found) return insert(place, {key, std::move(value), version});
  Entry& entry = own(place.block)[place.entry];
  entry.version = version;
  StateValue& held = entry.value;
  text_bytes_ -= held->size();
  bytes_ -= held->size();
  held = std::move(value);
}

void State::apply(const StateChanges& changes) {
  for (const StateChange& change : changes) {
    if (change.value) {
      set(change.key, change.value, change.version);
    } else {
      erase(change.key);
    }
  }
}

void State::insert(const Place& place, Entry entry) {
  ++size_;
  text_bytes_ += quoted_size(entry.key) + 1;
  bytes_ += entry.key.size();
  if (blocks_.empty()) blocks_.push_back(std::make_shared<Block>());
  Block& block = own(place.block);
  block.insert(place.entry, std::move(entry));
  if (block.size() > kMaxBlockEntries) split(place.block);
}

void State::split(std::size_t index) {
  Block& block = own(index);
  auto second = std::make_shared<Block>();
  for (std::size_t entry = kHalf; entry < block.size(); ++entry)
    second->push_back(std::move(block[entry]));
  block.erase(kHalf, block.size() - kHalf);
  blocks_.insert(index + 1, std::move(second));
}

void State::erase(std::string_view key) {
  const Place place = locate(key);
  if (!place.found) return;
  Block& block = own(place.block);
  const Entry& entry = block[place.entry];
  text_bytes_ -= quoted_size(entry.key) + 1 + entry.value->size();
  bytes_ -= entry.key.size() + entry.value->size();
  block.erase(place.entry);
  --size_;
  if (block.empty()) return blocks_.erase(place.block);
  join_with_next(place.block);
  if (place.block > 0) join_with_next(place.block - 1);
}

// Where both have become small, so that there are never many more blocks than the keys need.
void State::join_with_next(std::size_t index) {
  if (index + 1 == blocks_.size()) return;
  const Block& next = *blocks_[index + 1];
  if (blocks_[index]->size() + next.size() > kHalf) return;
  Block& block = own(index);
  for (const Entry& entry : next) block.push_back(entry);
  blocks_.erase(index + 1);
}

std::size_t State::drop_blocks(std::size_t most) {
  const std::size_t count = std::min(most, blocks_.size());
  if (count > 0) blocks_.erase(blocks_.size() - count, count);
  return count;
}

std::size_t State::bytes_beyond(const State& other) const {
  std::size_t bytes = blocks_.size() * sizeof(blocks_[0]);
  Beside beside(other);
  for (const auto& block : blocks_) {
    if (beside.holds(*block)) continue;
    for (const Entry& entry : *block) {
      bytes += own_size(entry);
      if (!beside.holds(entry)) bytes += entry.value->size();
    }
  }
  return bytes;
}

}  // namespace syncrelay
