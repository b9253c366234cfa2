#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "syncrelay/channel/event_log.h"
#include "syncrelay/channel/replica_channel.h"
#include "syncrelay/channel/restored.h"
#include "syncrelay/channel/tombstones.h"
#include "syncrelay/post/update.h"
#include "syncrelay/protocol/channel_name.h"

namespace syncrelay {

// A shard's copy of everything that a client may ask for: of each channel the state and the window
// of recent events, at the same point. A channel is there as long as the relay has it or somebody
// here follows it. Its shard's thread only; the values are shared with the other replicas.
class Replica {
 public:
  // `presence`: the channels that keep members.
  Replica(const std::vector<std::string>& configured_keys, EventLog::Bounds window,
          ChannelPatterns presence = {});
  Replica(const Replica&) = delete;
  Replica& operator=(const Replica&) = delete;

  // Takes a whole step in: all its parts, each with its change and its event, so that no client can
  // see one without the others.
  void apply(const Update& step);

  // Goes on from an earlier life of the log. To be called before anything else.
  void restore(const Restored& restored);

  ReplicaChannel& default_channel() { return default_; }
  const ReplicaChannel& default_channel() const { return default_; }

  // Null: it is not there. The empty name is the default channel. Valid until release() or until an
  // update ends it that nobody follows.
  ReplicaChannel* find(std::string_view name);
  const ReplicaChannel* find(std::string_view name) const {
    return const_cast<Replica*>(this)->find(name);
  }

  // Makes one that somebody here is about to follow. Precondition: it is not there.
  ReplicaChannel& make_local(std::string_view name);

  // To be called when somebody does not follow a channel any more: it may be gone then.
  void release(ReplicaChannel& channel);

  // Channels that got an event or another state since the last call of forget_news(), each once;
  // null where one is gone already.
  const std::vector<ReplicaChannel*>& news() const { return news_; }
  void forget_news();

  // Channels that were dropped and had followers, from the oldest on: they can still be read until
  // they are forgotten.
  const std::vector<std::unique_ptr<ReplicaChannel>>& dropped() const { return dropped_; }
  // Precondition: nobody follows it.
  void forget_dropped(std::size_t index);

  // Of Tombstones: what a channel would be made with now.
  std::uint32_t generation() const { return tombstones_.generation(); }

  const EventLog& log() const { return log_; }
  // See EventLog::keep_from().
  void keep_from(std::uint64_t position) { log_.keep_from(position); }

  std::size_t channels() const { return 1 + named_.size(); }
  std::size_t local_channels() const { return local_; }  // of them, those that the relay has not

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
    std::size_t operator()(const std::unique_ptr<ReplicaChannel>& channel) const {
      return (*this)(text(channel->name));
    }
  };
  struct SameName {
    using is_transparent = void;
    template <typename Left, typename Right>
    bool operator()(const Left& left, const Right& right) const {
      return name_of(left) == name_of(right);
    }
    static std::string_view name_of(std::string_view name) { return name; }
    static std::string_view name_of(const std::unique_ptr<ReplicaChannel>& channel) {
      return text(channel->name);
    }
  };

  void apply_part(const Update& part);
  void look_ahead(const std::vector<Update>& parts, std::size_t at) const;
  ReplicaChannel& make(ChannelName name);
  ReplicaChannel& known_channel(const Update& part);
  ReplicaChannel& known_by_name(const ChannelName& name);
  void set_slot(std::uint32_t slot, ReplicaChannel* channel);
  void make_known(ReplicaChannel& channel);
  void end(const Update& part);
  void drop(ReplicaChannel& channel);
  void erase(ReplicaChannel& channel);
  void add_news(ReplicaChannel& channel);
  void leave_news(ReplicaChannel& channel);

  const ChannelPatterns presence_;
  EventLog log_;
  ReplicaChannel default_{nullptr};
  std::unordered_set<std::unique_ptr<ReplicaChannel>, Hash, SameName> named_;
  std::vector<ReplicaChannel*> by_slot_;  // of the relay's; null: not met yet, or gone
  Tombstones tombstones_;
  std::size_t local_ = 0;
  std::uint64_t state_versions_ = 0;  // given out
  std::vector<ReplicaChannel*> news_;
  std::vector<std::unique_ptr<ReplicaChannel>> dropped_;
};

}  // namespace syncrelay
