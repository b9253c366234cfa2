#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "syncrelay/base/clock.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/outbox.h"
#include "syncrelay/protocol/channel_name.h"

namespace syncrelay {

// Somebody who has connections to this shard.
struct Identity {
  std::string id;
  std::shared_ptr<const std::string> info;  // JSON object, as last said; null: never
  TimePoint said{};                         // when that was
  std::uint32_t connections = 0;
  // How many of them follow each channel whose members are kept.
  std::map<std::string, std::uint32_t, std::less<>> attended;
};

// How somebody is gone from a channel.
enum class Farewell : std::uint8_t {
  lost,
  leave  // said goodbye
};

// Who the clients of a shard are, and which of them follow what: tells the relay of each change
// where members are kept. Its shard's thread only.
class Identities {
 public:
  // `kept`: the channels whose members are. All must outlive it.
  Identities(const ChannelPatterns& kept, Outbox& outbox, const Clock& clock, ShardStats& stats)
      : kept_(kept), outbox_(outbox), clock_(clock), stats_(stats) {}
  Identities(const Identities&) = delete;
  Identities& operator=(const Identities&) = delete;

  // Another connection of this one; it follows nothing yet. What is returned holds until as many
  // have left.
  Identity& join(const std::string& id);
  // Precondition: it follows nothing any more.
  void leave(Identity& identity);

  // What it says of itself from now on, by whichever connection. JSON object. Told even if it is
  // the same: something else may have been said at another shard meanwhile.
  void set_info(Identity& identity, std::string info);

  // One of its connections follows this channel, or does no longer.
  void follow(Identity& identity, std::string_view channel);
  void unfollow(Identity& identity, std::string_view channel, Farewell farewell);

 private:
  void tell(const Identity& identity, std::string_view channel, std::uint32_t count, bool clean);

  const ChannelPatterns& kept_;
  Outbox& outbox_;
  const Clock& clock_;
  ShardStats& stats_;
  std::unordered_map<std::string, Identity> identities_;  // by id
};

}  // namespace syncrelay
