#pragma once

#include <cstdint>
#include <string_view>

#include "syncrelay/channel/channel_followers.h"
#include "syncrelay/channel/channel_log.h"
#include "syncrelay/channel/rare.h"
#include "syncrelay/channel/state.h"
#include "syncrelay/post/channel_name.h"

namespace syncrelay {

// A shard's copy of one channel: its state and its recent events at the same point, and who follows
// it here. It stays where it is. Small while it holds little: there may be 100,000. Its shard's
// thread only.
struct ReplicaChannel {
  explicit ReplicaChannel(ChannelName its_name) : name(std::move(its_name)) {}
  ReplicaChannel(const ReplicaChannel&) = delete;
  ReplicaChannel& operator=(const ReplicaChannel&) = delete;

  // Of the front: what an event, and a visit to a follower, touch.
  static constexpr std::size_t kVisitedBytes = 128;
  static constexpr std::uint32_t kNoNews = UINT32_MAX;

  // The relay has it. Else it is there for those who follow it only.
  bool known = false;
  // A backend dropped it: its name may belong to another one already, and it is there only until
  // its followers have had what came before.
  bool dropped = false;
  bool keeps_members = false;    // as --presence says
  std::uint32_t generation = 0;  // of Tombstones, when it was made: its epoch
  // Grows where its numbers began anew after somebody may have been told of them.
  std::uint32_t numbering = 0;
  std::uint32_t news_slot = kNoNews;  // in Replica::news()
  ChannelLog log;
  ChannelFollowers followers;  // the shard's
  Seq begin{1};                // the first event of its numbering; nothing was in it before that
  const ChannelName name;
  State state;
  Rare<State> members;              // by id, see member.h
  std::uint64_t state_version = 0;  // changes with both; no two channels have the same

  Seq last() const { return log.next().previous(); }  // its newest event
};

}  // namespace syncrelay
