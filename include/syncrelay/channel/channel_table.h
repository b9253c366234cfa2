#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "syncrelay/channel/channel.h"
#include "syncrelay/channel/tombstones.h"
#include "syncrelay/post/update.h"

namespace syncrelay {

// All channels of the log, with their states and numbers, and where those ended that are gone.
// Whatever is changed can be undone until keep(): back to any mark, the youngest change first, so
// that a command that fails in its middle, a batch, and all that waits to be stored are undone by
// the same means. Relay thread only.
//
// Invariants: the default channel is always there; totals are those of all channels.
class ChannelTable {
 public:
  ChannelTable();
  ChannelTable(const ChannelTable&) = delete;
  ChannelTable& operator=(const ChannelTable&) = delete;

  // The empty name is the default channel's. Null: there is none; else it is valid until it is
  // removed, or the change that made it is undone.
  Channel* find(std::string_view name);
  const Channel* find(std::string_view name) const;

  // Where the channel stands, or would begin if it were made now.
  ChannelPosition position_of(std::string_view name) const;

  // Precondition: there is none of this name.
  Channel& make(std::string_view name);
  // It goes on from an earlier life of the log; cannot be undone.
  void restore(const Channel& channel);
  void restore(Tombstones tombstones, std::uint64_t version);

  // Gives each change its version and has the channel take them in.
  void change(Channel& channel, StateChanges& changes, Shelf shelf = Shelf::state);
  void advance(Channel& channel);  // to its next event

  // The channel is gone, and its numbers ended at `last`. Precondition: it is not the default one.
  void remove(Channel& channel, Seq last);

  // The channel that a part of a step was about. Null: it is the default one, or not there any
  // more.
  Channel* find(const Update& part);

  struct Mark {
    std::size_t changes = 0;
    std::uint64_t version = 0;
  };
  Mark mark() const { return {undo_.size(), version_}; }
  void rewind(const Mark& mark);
  void keep();

  // Calls `visit(channel)` for each channel that was removed since the last keep(), with which it
  // is gone.
  template <typename Visit>
  void for_each_removed(Visit visit) const {
    for (const Change& change : undo_) {
      if (const auto* const removed = std::get_if<Removed>(&change)) visit(*removed->channel);
    }
  }

  // The tombstones put since the last keep(); of these only that are still there.
  Tombstones::ByHash new_tombstones() const;

  const Channel& main() const { return main_; }         // the default channel
  std::size_t size() const { return by_name_.size(); }  // channels besides it
  std::uint64_t bytes() const { return totals_.bytes; }
  std::uint64_t keys() const { return totals_.keys; }
  std::uint64_t members() const { return totals_.members; }
  std::uint64_t will_bytes() const { return totals_.will_bytes; }
  std::uint64_t version() const { return version_; }  // the newest of all keys
  const Tombstones& tombstones() const { return tombstones_; }

  // Those besides the default one, in the order of their names.
  using ByName = std::map<std::string_view, std::unique_ptr<Channel>>;  // the keys are theirs
  const ByName& by_name() const { return by_name_; }

 private:
  struct Totals {
    std::uint64_t bytes = 0;  // of the states
    std::uint64_t keys = 0;
    std::uint64_t members = 0;
    std::uint64_t will_bytes = 0;
  };
  // What was before a change.
  struct KeyWas {
    Channel* channel;
    Shelf shelf;
    std::string key;
    StateValue value;  // null: it was not there
    std::uint64_t version;
  };
  struct LastWas {
    Channel* channel;
    Seq last;
  };
  struct Made {
    Channel* channel;
  };
  struct Removed {
    std::unique_ptr<Channel> channel;
  };
  struct Buried {
    std::uint64_t hash;
    Seq last;
    std::optional<Seq> before;
    std::unique_ptr<Tombstones> all_before;  // not null: it made the table overflow
  };
  using Change = std::variant<KeyWas, LastWas, Made, Removed, Buried>;

  Channel& add(std::unique_ptr<Channel> added);
  void bury(std::string_view name, Seq last);
  void set_key(Channel& channel, Shelf shelf, const StateChange& change);
  void count(const Channel& channel);
  void uncount(const Channel& channel);
  void undo(KeyWas& was);
  void undo(LastWas& was);
  void undo(Made& made);
  void undo(Removed& removed);
  void undo(Buried& buried);

  Channel main_;
  ByName by_name_;
  // Null: free, or of one that was removed and may come back until keep().
  std::vector<Channel*> by_slot_;
  std::vector<std::uint32_t> free_slots_;
  Tombstones tombstones_;
  std::uint64_t version_ = 0;
  Totals totals_;
  std::vector<Change> undo_;  // oldest first
};

}  // namespace syncrelay
