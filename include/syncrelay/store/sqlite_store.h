#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "syncrelay/base/result.h"
#include "syncrelay/relay/store.h"

namespace syncrelay {

// Keeps state, epoch, log window and ids in one SQLite database (write-ahead log). One transaction
// a batch; a batch's events are one row, its ids another, so that the cost of a command is mostly
// its bytes. Epoch and log go on only where a note outside of the database (note.h) proves that
// nothing is missing; nothing of a damaged database is served. Relay thread only, once opened.
class SqliteStore final : public Store {
 public:
  enum class Sync : std::uint8_t {
    process,  // what is committed survives the process being killed
    power,    // and the machine losing power: every commit waits for the disk
  };
  struct Settings {
    std::string directory;  // exists
    Sync sync;
    std::uint64_t log_bytes;  // window to keep
    std::uint64_t log_events;
    std::uint64_t ids;
    Duration id_age;
  };

  // Opens the database, making it when there is none. The error says what is wrong with which file.
  // Never falls back to anything else.
  static Result<std::unique_ptr<SqliteStore>, std::string> open(const Settings& settings);

  ~SqliteStore() override;

  // All that is kept; with `epoch_if_new` as its epoch when there is nothing yet, or when something
  // may be missing. To be called once, before commit().
  Result<StoredHistory, std::string> load(const std::string& epoch_if_new);

  Result<void, Rejection> commit(const StoreBatch& batch) override;
  Result<void, Rejection> begin_backup() override;
  std::optional<Result<std::string, Rejection>> step_backup() override;

 private:
  struct Impl;
  explicit SqliteStore(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace syncrelay
