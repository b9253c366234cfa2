#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/base/result.h"
#include "syncrelay/channel/channel_table.h"
#include "syncrelay/channel/homes.h"
#include "syncrelay/channel/member.h"
#include "syncrelay/post/channel_name.h"
#include "syncrelay/post/update.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/protocol/rejection.h"
#include "syncrelay/protocol/server_message.h"

namespace syncrelay {

// How long what a command set stays, and what happens then.
struct Lifetime {
  std::chrono::milliseconds after;
  bool told = true;  // clients hear of the end, as of a delete
};

// One part of what a command did: in one channel. Its views hold for the call that it is given to.
struct Effect {
  ChannelName channel;
  std::uint32_t slot = Update::kNoSlot;  // of the channel, see there
  ChannelEnd end = ChannelEnd::none;
  std::shared_ptr<const StateChanges> changes;  // null: none
  std::shared_ptr<const StateChanges> members;  // null: none
  EventEncoder::Pieces event;                   // empty: none
  Seq seq;                                      // of the event, or of the newest one before it
  std::optional<Lifetime> lifetime;             // of the values in `changes`
  // Not empty: nothing but what clients do not see of this member is another, its will or homes.
  std::string_view unseen_of;
};

// Who hears of effects, in their order. An interface, because a step may have a thousand parts, and
// the bytes of their events are copied one by one.
class Effects {
 public:
  virtual ~Effects() = default;
  virtual void take(const Effect& effect) = 0;
};

struct OutcomeParts;

// What a backend is told of a command that was accepted.
struct Outcome {
  ChannelName channel;  // of a list its first, of a batch that of its last command
  ChannelPosition position;
  std::shared_ptr<const StateChanges> changes;  // keys and their versions; null: none
  std::shared_ptr<const OutcomeParts> parts;    // null: the command is no list and no batch
};

struct OutcomeParts {
  std::vector<Outcome> positions;  // broadcast to a list: one a channel
  std::vector<Outcome> results;    // batch: one a command
};

// A key that goes by itself, if it still has this version.
struct Expire {
  std::string channel;
  std::string key;
  std::uint64_t version = 0;
  bool told = true;
};

// A channel without state, whose events are no longer wanted, if `last` is still its newest.
struct Forget {
  std::string channel;
  Seq last;
  bool drop = false;  // although some are in the window: who comes for them gets a snapshot
};

// Somebody who follows the channel at this relay, where members are kept.
struct Arrive {
  std::string channel;
  std::string id;
  std::shared_ptr<const std::string> info;  // JSON object; never null
  WordStamp word = {};                      // of the info
  RelayId home = kAlone;
};

// A member that nobody has been at this relay for its grace, if it is still the one that came
// `since` then. It leaves when it is at no other relay either.
struct Depart {
  std::string channel;
  std::string id;
  std::string since;  // as append_timestamp() writes it
  RelayId home = kAlone;
};

// The relay is dead: whoever is a member there departs after the grace, unless it turns out to
// live. Changes no channel by itself.
struct Gone {
  RelayId relay = kAlone;
};

// What an Arrive did.
enum class Arrival : std::uint8_t {
  none,     // nothing that clients see: it is a member, and has said nothing newer
  joined,   // it has become a member
  changed,  // it says something else of itself
  refused,  // there is no room: for another member, or another channel
};

// What a Depart did.
struct Departure {
  bool left = false;
  bool had_will = false;
  std::optional<Rejection> will_refused;  // which has changed nothing then
};

// Where a member's homes are. Precondition: it is one.
Homes homes_of(const Channel& channel, std::string_view id);

// What letters make of the channels, and what clients hear of it. Pure: it reads no clock and knows
// no shard, store or socket, so that the same letters at the same times give the same seq, epochs,
// state, versions and wire bytes wherever they are applied.
//
// What is applied is provisional until keep(): take_back() makes it undone, as if none of it had
// come. One thread at a time.
class Channels {
 public:
  struct Settings {
    // Of the default channel: these exist from the start, as null, and never go.
    std::vector<std::string> state_keys;
    std::uint64_t max_state_bytes = UINT64_MAX;  // keys and values of all channels together
    std::uint64_t max_state_keys = UINT64_MAX;   // of all channels together
    std::uint64_t max_channels = UINT64_MAX;     // besides the default one
    std::uint64_t max_members = UINT64_MAX;      // of all channels together
    std::string members_key =
        {};  // of the default channel: lists its members, too; empty: none does
    std::string members_event = {};  // the type of the event that tells that list; empty: none does
  };

  explicit Channels(const Settings& settings);

  // Go on from an earlier life: what a channel had (the default one has no name), and what the log
  // had. To be called before anything else.
  void restore(const Channel& channel) { table_.restore(with_configured_keys(channel)); }
  // What the default channel's list of members is from the start; null: there is none, or it has
  // been in the state.
  StateValue first_list(const Channel& channel) const;
  const std::string& members_key() const { return settings_.members_key; }
  void restore(Tombstones tombstones, std::uint64_t version);

  // `ts` is when the command was accepted. A rejected one has changed nothing, although effects of
  // its first parts may have been told: they are void. Precondition: the command is no query.
  Result<Outcome, Rejection> apply(const Command& command, WallTime ts, Effects& effects);
  // These do nothing when what they name has changed since. True: they did.
  bool apply(const Expire& expire, WallTime ts, Effects& effects);
  bool apply(const Forget& forget, Effects& effects);
  Arrival apply(const Arrive& arrive, WallTime ts, Effects& effects);
  // The member's will is applied in the same step, whole or not at all.
  Departure apply(const Depart& depart, WallTime ts, Effects& effects);

  void keep();
  void take_back();

  // There is no room for another channel.
  bool full() const { return table_.size() >= settings_.max_channels; }

  const ChannelTable& table() const { return table_; }
  ChannelTable& table() { return table_; }

 private:
  Arrival greet_again(Channel& channel, const Arrive& arrive, const Member& member, WallTime ts,
                      Effects& effects);
  Channel with_configured_keys(Channel channel) const;
  Result<Outcome, Rejection> apply_part(const Command& command, WallTime ts, Effects& effects);
  Result<Outcome, Rejection> apply_batch(const Command& batch, WallTime ts, Effects& effects);
  Result<Outcome, Rejection> apply_to_list(const Command& broadcast, WallTime ts, Effects& effects);
  Result<Outcome, Rejection> apply_to(std::string_view name, const Command& command, WallTime ts,
                                      Effects& effects);
  Result<Outcome, Rejection> drop(const Command& command, Effects& effects);
  Result<Outcome, Rejection> set_will(const Command& command, Effects& effects);
  std::optional<Rejection> check_will(const StateChange& will, const Channel* channel) const;
  void run_will(std::string_view text, WallTime ts, Effects& effects, Departure& departure);
  void tell_member(Channel& channel, MemberChange what, const std::string& id, StateValue value,
                   WallTime ts, Effects& effects);
  void tell_list(Channel& channel, const std::string& list, WallTime ts, Effects& effects);
  void erase_will(Channel& channel, const std::string& id);
  void set_homes(Channel& channel, const std::string& id, const Homes& homes);
  static void tell_unseen(const Channel& channel, std::string_view id, Effects& effects);
  Outcome with_effect(const Command& command, Channel& channel, StateChanges changes, WallTime ts,
                      Effects& effects);
  Outcome without_effect(const Command& command, std::string_view name) const;
  std::optional<Rejection> check_room(const State& state, const StateChanges& changes) const;
  EventEncoder::Pieces event_of(const Command& command, Channel& channel, WallTime ts);
  bool back_to_null(const Command& command, const Channel& channel) const;
  bool keeps_list() const {
    return !settings_.members_key.empty() || !settings_.members_event.empty();
  }

  const Settings settings_;
  const std::set<std::string> configured_keys_;
  ChannelTable table_;
  ChannelTable::Mark kept_;
  EventEncoder encoder_;
};

}  // namespace syncrelay
