#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/channel/channels.h"
#include "syncrelay/channel/log_writer.h"
#include "syncrelay/post/letter.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/relay/store.h"

namespace syncrelay {

// What has been applied and has not left yet: the events' wire bytes at the end of the log, the
// letters to the shards, the ids. It is stored as a whole and posted, or taken back as a whole.
// A step (what one letter of the order did, in however many parts) is one letter to the shards.
// Relay thread only.
class Batch final : public Effects {
 public:
  Batch(std::uint64_t log_bytes, const Clock& clock) : clock_(clock), log_(log_bytes) {}

  // A step begins; the parts that are taken belong to it until it ends, or are taken back.
  void begin_step(WallTime ts);
  void take(const Effect& effect) override;
  void end_step();
  void take_back_step();

  void add_id(IdRecord id);
  // Its inner commands, too.
  void count(const Command& command);
  void count_expired() { ++counts_.expired; }
  void count_will(bool applied) { ++(applied ? counts_.wills_applied : counts_.wills_refused); }

  // Whether it is time to publish it, so that it stays bounded.
  bool full() const;
  bool empty() const { return letters_.empty() && ids_.empty() && unseen_.empty(); }

  std::span<const Letter> letters() const { return letters_; }
  std::uint64_t events() const { return counts_.events; }
  std::uint64_t expired() const { return counts_.expired; }
  std::uint64_t wills_applied() const { return counts_.wills_applied; }
  std::uint64_t wills_refused() const { return counts_.wills_refused; }
  const std::array<std::uint64_t, kOpNames.size()>& commands() const {
    return counts_.commands;
  }  // by Op

  // Calls `visit(update, lifetime)` for each part of each step, in their order; `lifetime`: of what
  // the part sets, null when it stays.
  template <typename Visit>
  void for_each_part(Visit visit) const {
    auto timed = timed_.begin();
    const auto each = [&](const Update& part) {
      const bool has = timed != timed_.end() && timed->changes == part.changes.get();
      visit(part, has ? &*timed++ : nullptr);
    };
    for (const Letter& letter : letters_) {
      const Update& update = std::get<Update>(letter);
      each(update);
      if (!update.also) continue;
      for (const Update& part : *update.also) each(part);
    }
  }

  // Calls `visit(channel, id)` for each member of which nothing but what clients do not see is
  // another; for some more than once, or although it has left since.
  template <typename Visit>
  void for_each_unseen(Visit visit) const {
    for (const Unseen& unseen : unseen_) visit(unseen.channel, unseen.id);
  }

  // The same for these, and each member that came, changed or left.
  template <typename Visit>
  void for_each_member(Visit visit) const {
    for_each_part([&](const Update& part, const Timed*) {
      if (!part.members) return;
      for (const StateChange& member : *part.members) visit(part.channel, member.key);
    });
    for_each_unseen(visit);
  }

  // The values of a part that go by themselves.
  struct Timed {
    const StateChanges* changes;
    WallTime ts;  // when they were set
    Lifetime lifetime;
  };

  // Adds events, changes and ids to `stored`; the ids leave the batch for it until they are given
  // back.
  void fill(StoreBatch& stored);
  void give_back_ids(std::vector<IdRecord> ids) { ids_ = std::move(ids); }

  // It is empty again. What was in it stays in the log, or is taken back from it.
  void clear();
  void take_back();

  // Wire bytes of an earlier life of the log. Precondition: nothing was taken yet.
  Update restore(ChannelName channel, Seq seq, ByteSpan message);

 private:
  struct Step {
    WallTime ts{};
    std::size_t letters = 0;  // before it
    std::size_t timed = 0;
    std::size_t unseen = 0;
    std::vector<Update> also;  // its parts behind the first
  };
  struct Unseen {
    ChannelName channel;
    std::string id;
  };
  struct Counts {
    std::size_t parts = 0;
    std::size_t bytes = 0;
    std::uint64_t events = 0;
    std::uint64_t expired = 0;
    std::uint64_t wills_applied = 0;
    std::uint64_t wills_refused = 0;
    std::array<std::uint64_t, kOpNames.size()> commands{};
  };

  void add(const Effect& effect, Update& part);
  void set_event(Update& part, LogWriter::Written written) const;

  const Clock& clock_;
  LogWriter log_;
  LogWriter::Mark kept_log_;  // before the first part
  Step step_;
  std::vector<Letter> letters_;
  std::vector<Timed> timed_;
  std::vector<IdRecord> ids_;
  std::vector<Unseen> unseen_;
  Counts counts_;
};

}  // namespace syncrelay
