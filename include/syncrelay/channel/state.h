#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "syncrelay/base/few.h"
#include "syncrelay/post/update.h"

namespace syncrelay {

// Keys and their values, in the order of the keys. A copy costs one pointer per kMaxBlockEntries
// keys and stays as it is: copies share sorted blocks of entries, and a block that is shared is
// copied before it is changed. Rejected: std::map, of which a copy is an allocation per key.
// One thread only, together with its copies; the values are shared between threads.
class State {
 public:
  struct Entry {
    std::string key;
    StateValue value;
    std::uint64_t version = 0;  // grows with every change of any key in the log; see StateChange
  };
  using Block = Few<Entry>;  // never empty
  static constexpr std::size_t kMaxBlockEntries = 64;

  // Null: there is no such key. Valid until the next change.
  const Entry* entry(std::string_view key) const;
  const StateValue* find(std::string_view key) const;

  // Precondition: value is not null.
  void set(const std::string& key, StateValue value, std::uint64_t version = 0);
  void erase(std::string_view key);

  // To the same in one go, as a replica hears of it.
  void apply(const StateChanges& changes);

  std::size_t size() const { return size_; }

  // Calls `visit(entry)` for each key, in their order.
  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& block : blocks_) {
      for (const Entry& entry : *block) visit(entry);
    }
  }

  // What --max-state bounds: the bytes of all keys and values.
  std::uint64_t bytes() const { return bytes_; }
  std::size_t block_count() const { return blocks_.size(); }
  const Block& block(std::size_t index) const { return *blocks_[index]; }

  // The length of all as members of a JSON object, with the commas between them, without braces.
  std::size_t members_size() const { return text_bytes_ + (size_ > 0 ? size_ - 1 : 0); }

  // For who is done with a copy: lets go of so many of its last blocks, or of all, and returns how
  // many. Only block_count() and this are to be called behind it.
  std::size_t drop_blocks(std::size_t most);

  // What would be freed if this were gone and `other` stayed, in bytes.
  std::size_t bytes_beyond(const State& other) const;

 private:
  struct Place {
    std::size_t block = 0;
    std::size_t entry = 0;
    bool found = false;
  };
  Place locate(std::string_view key) const;
  Block& own(std::size_t index);
  void insert(const Place& place, Entry entry);
  void split(std::size_t index);
  void join_with_next(std::size_t index);

  Few<std::shared_ptr<Block>> blocks_;
  std::size_t size_ = 0;
  std::size_t text_bytes_ = 0;  // of `"key":value`, all together
  std::uint64_t bytes_ = 0;
};

}  // namespace syncrelay
