#pragma once

#include <span>
#include <string>
#include <string_view>

#include "books.h"
#include "database.h"
#include "row_sum.h"
#include "syncrelay/relay/store.h"

namespace syncrelay {

// The tables of the database: writes a batch in one transaction and deletes what the windows do not
// need any more. Methods return an SQLite result code; after one that is no SQLITE_OK,
// take_back(). Relay thread only, once prepared.
class Tables {
 public:
  struct Windows {
    std::uint64_t log_bytes;
    std::uint64_t log_events;
    std::uint64_t ids;
    Duration id_age;
  };

  Tables(Database& database, const Windows& windows) : database_(database), windows_(windows) {}

  int prepare();
  // Ends the statements, before the database is closed.
  void close() { sql_ = {}; }

  // What is in the database, for the reader to fill in.
  Books& books() { return books_; }
  Position& position() { return position_; }
  const Position& position() const { return position_; }

  // A transaction: begin_…(), then commit(), then keep() or take_back().
  int begin_batch(const StoreBatch& batch);
  // One that changes nothing but the position's row; the count of commits with it.
  int begin_void();
  // One that puts the position's row as position() is.
  int begin_position();
  int commit() { return sql_.commit.run(); }
  void keep();
  void take_back();

 private:
  struct Statements {
    Statement begin;
    Statement commit;
    Statement rollback;
    Statement put_position;
    Statement update_state;
    Statement insert_state;
    Statement delete_state;
    Statement delete_states;
    Statement put_member;
    Statement delete_member;
    Statement delete_members;
    Statement put_channel;
    Statement delete_channel;
    Statement put_tombstone;
    Statement delete_tombstones;
    Statement put_events;
    Statement delete_events;
    Statement put_ids;
    Statement delete_ids;
    Statement put_message;
    Statement delete_message;
    Statement put_refs;
    Statement delete_refs;
  };

  int begin();
  int write_state(const StoreBatch& batch);
  int write_change(std::string_view channel, const StateChange& change,
                   const std::optional<Expiry>& expiry);
  int write_members(const StoreBatch& batch);
  int write_channels(const StoreBatch& batch);
  int write_tombstones(const StoreBatch& batch);
  int write_events(const StoreBatch& batch);
  int write_ids(Table table, Statement& statement, std::span<const IdRecord> ids);
  int write_inbox(const InboxChanges& inbox);
  int trim_events();
  int trim_ids(Table table, Statement& statement, Duration now);
  int put_next();
  int put(Table table, Statement& statement, std::uint64_t sum);
  int remove(Table table, Statement& statement);

  Database& database_;
  const Windows windows_;
  Statements sql_;
  Books books_;
  Position position_;
  Position next_;               // as position_ is when the transaction is kept
  std::string wire_;            // the batch's events; kept for its capacity
  std::uint64_t replaced_ = 0;  // see Database::define_replaced()
};

}  // namespace syncrelay
