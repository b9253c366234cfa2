#pragma once

#include <string>

#include "syncrelay/relay/store.h"

namespace syncrelay::testing {

// Keeps what a store keeps, in memory, without bounds; refuses while it is told to.
class MemoryStore final : public Store {
 public:
  Result<void, Rejection> commit(const StoreBatch& batch) override;
  Result<void, Rejection> begin_backup() override { return {}; }
  std::optional<Result<std::string, Rejection>> step_backup() override { return std::nullopt; }

  // What a relay that begins now goes on from.
  StoredHistory history() const;

  bool refusing = false;

 private:
  void take_events(const StoreBatch& batch);
  void take_changes(const StoreBatch& batch);
  void take_members(const StoreBatch& batch);
  void take_channels(const StoreBatch& batch);
  void take_inbox(const InboxChanges& changes);

  StoredHistory history_;
};

}  // namespace syncrelay::testing
