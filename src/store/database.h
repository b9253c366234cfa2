#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace syncrelay {

// A prepared statement. Every method returns an SQLite result code; a failed bind shows in the next
// step().
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}

  // The bytes must stay until reset(). Everything has to be bound anew for each run.
  Statement& bind(int index, std::string_view blob);
  Statement& bind(int index, std::uint64_t number);

  // SQLITE_ROW, SQLITE_DONE or an error.
  int step();
  // For statements that yield no row: runs it and makes it ready for the next time. SQLITE_OK or an
  // error.
  int run();
  void reset();

  std::string_view blob(int column) const;  // valid until the next step() or reset()
  std::uint64_t number(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_error_ = SQLITE_OK;
};

// One connection. Owned and used by one thread at a time.
class Database {
 public:
  // SQLITE_OK, or what went wrong; message() says more.
  int open(const std::string& path);

  int execute(const char* sql);
  int prepare(const char* sql, Statement& statement);
  // By the last statement that changes any.
  int changed_rows() const;
  // The number that the query yields; nullopt when it fails.
  std::optional<std::uint64_t> number(const char* sql);
  // Lets commits go to a log beside the file from now on.
  bool use_write_ahead_log();

  std::string message() const;
  // Of the last failure, with what SQLite knows beyond the plain result code.
  int extended_error() const;

  // Ends what was prepared before. `leaving_the_log`: without moving its contents into the file.
  void close();
  void close_leaving_the_log();

  // Makes row_sum(column, …) known to SQL, and total_sum(sum), their exclusive or.
  int define_sums();

  // Makes replaced(old, new) known to SQL: it yields `new`, and adds `old` to `sums` by exclusive
  // or. `sums` must outlive the connection's use of it.
  int define_replaced(std::uint64_t& sums);

  sqlite3* handle() const { return connection_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close(connection); }
  };
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace syncrelay
