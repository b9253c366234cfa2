#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/ids.h"
#include "syncrelay/base/mailbox.h"
#include "syncrelay/base/result.h"
#include "syncrelay/protocol/command.h"
#include "syncrelay/protocol/rejection.h"
#include "syncrelay/protocol/stats.h"
#include "syncrelay/protocol/update.h"
#include "syncrelay/relay/log_writer.h"

namespace syncrelay {

// The single writer: puts what the backends command into one order, gives each event its seq and time, encodes it once
// and posts the same Update to every shard. Owns nothing that a client touches. Relay thread only.
class Relay {
 public:
  struct Settings {
    std::vector<std::string> state_keys;  // these exist from the start, as null
    std::uint64_t max_state_bytes;        // keys and values together
    std::uint64_t max_state_keys;
    std::uint64_t log_bytes;
  };

  // `shards` and `stats` must outlive the relay.
  Relay(const Settings& settings, const Clock& clock, std::vector<Mailbox<Update>*> shards, RelayStats& stats);

  // Takes one command and stages what it does; nothing has left before publish(). Returns the position behind it. A
  // rejected command has changed nothing.
  Result<Seq, Rejection> apply(const Command& command);

  // Counts a command that was refused before it came this far.
  void count(RejectReason reason) { counter(stats_.rejected, reason).add(); }

  // Whether it is time to publish(), so that what is staged stays bounded.
  bool batch_full() const;

  // Posts what is staged to every shard; waits while a shard's mailbox is full.
  void publish();

 private:
  using State = std::map<std::string, StateValue>;

  Result<StateChanges, Rejection> changes_of(const Command& command) const;
  StateChanges change(const std::string& key, std::string value) const;
  std::optional<Rejection> check_room(const StateChanges& changes) const;
  void take_in(const StateChanges& changes);
  void stage_event(const Command& command, Update& update);
  void write_event(std::initializer_list<std::string_view> pieces, Update& update);
  bool is_configured(const std::string& key) const { return configured_keys_.count(key) != 0; }
  void show_state();

  const Settings settings_;
  const std::set<std::string> configured_keys_;
  const Clock& clock_;
  const std::vector<Mailbox<Update>*> shards_;
  RelayStats& stats_;
  State state_;
  std::uint64_t state_bytes_ = 0;
  Seq last_{0};
  LogWriter log_;
  std::vector<Update> staged_;
  std::size_t staged_bytes_ = 0;
  std::string tail_;
};

}  // namespace syncrelay
