#include "database.h"

#include "row_sum.h"

namespace syncrelay {
namespace {

void row_sum(sqlite3_context* context, int count, sqlite3_value** values) {
  RowSum sum;
  for (int column = 0; column < count; ++column) {
    sqlite3_value* const value = values[column];
    if (sqlite3_value_type(value) == SQLITE_INTEGER) {
      sum.add(static_cast<std::uint64_t>(sqlite3_value_int64(value)));
    } else {
      const void* bytes = sqlite3_value_blob(value);
      sum.add(std::string_view(static_cast<const char*>(bytes),
                               static_cast<std::size_t>(sqlite3_value_bytes(value))));
    }
  }
  sqlite3_result_int64(context, static_cast<sqlite3_int64>(sum.value()));
}

// See Database::define_replaced().
void replaced(sqlite3_context* context, int, sqlite3_value** values) {
  auto* const sums = static_cast<std::uint64_t*>(sqlite3_user_data(context));
  *sums ^= static_cast<std::uint64_t>(sqlite3_value_int64(values[0]));
  sqlite3_result_value(context, values[1]);
}

// Null when SQLite has no memory, or for a total of nothing.
std::uint64_t* total_of(sqlite3_context* context, int bytes) {
  return static_cast<std::uint64_t*>(sqlite3_aggregate_context(context, bytes));
}

void add_to_total(sqlite3_context* context, int, sqlite3_value** values) {
  std::uint64_t* const total = total_of(context, sizeof(std::uint64_t));
  if (total == nullptr) return sqlite3_result_error_nomem(context);
  *total ^= static_cast<std::uint64_t>(sqlite3_value_int64(values[0]));
}

void yield_total(sqlite3_context* context) {
  const std::uint64_t* const total = total_of(context, 0);
  sqlite3_result_int64(context, total == nullptr ? 0 : static_cast<sqlite3_int64>(*total));
}

}  // namespace

Statement& Statement::bind(int index, std::string_view blob) {
  const char* const bytes = blob.data() == nullptr ? "" : blob.data();  // else it would be NULL
  const int error = sqlite3_bind_blob64(statement_.get(), index, bytes, blob.size(), SQLITE_STATIC);
  if (error != SQLITE_OK) bind_error_ = error;
  return *this;
}

Statement& Statement::bind(int index, std::uint64_t number) {
  const int error = sqlite3_bind_int64(statement_.get(), index, static_cast<sqlite3_int64>(number));
  if (error != SQLITE_OK) bind_error_ = error;
  return *this;
}

int Statement::step() {
  return bind_error_ != SQLITE_OK ? bind_error_ : sqlite3_step(statement_.get());
}

int Statement::run() {
  const int result = step();
  reset();
  return result == SQLITE_DONE || result == SQLITE_ROW ? SQLITE_OK : result;
}

// What was bound stays, and is bound anew before the next step(): clearing costs as much as
// binding.
void Statement::reset() {
  sqlite3_reset(statement_.get());
  bind_error_ = SQLITE_OK;
}

std::string_view Statement::blob(int column) const {
  const void* bytes = sqlite3_column_blob(statement_.get(), column);
  return {static_cast<const char*>(bytes),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::uint64_t Statement::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_.get(), column));
}

int Database::open(const std::string& path) {
  sqlite3* connection = nullptr;
  const int result =
      sqlite3_open_v2(path.c_str(), &connection,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  connection_.reset(connection);
  return result;
}

int Database::execute(const char* sql) {
  return sqlite3_exec(connection_.get(), sql, nullptr, nullptr, nullptr);
}

int Database::prepare(const char* sql, Statement& statement) {
  sqlite3_stmt* prepared = nullptr;
  const int result =
      sqlite3_prepare_v3(connection_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  statement = Statement(prepared);
  return result;
}

std::optional<std::uint64_t> Database::number(const char* sql) {
  Statement statement;
  if (prepare(sql, statement) != SQLITE_OK || statement.step() != SQLITE_ROW) return std::nullopt;
  return statement.number(0);
}

bool Database::use_write_ahead_log() {
  Statement statement;
  return prepare("PRAGMA journal_mode = WAL", statement) == SQLITE_OK &&
         statement.step() == SQLITE_ROW && statement.blob(0) == "wal";
}

int Database::extended_error() const {
  return sqlite3_extended_errcode(connection_.get());
}

void Database::close() {
  connection_.reset();
}

void Database::close_leaving_the_log() {
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  connection_.reset();
}

int Database::define_sums() {
  const int error = sqlite3_create_function(connection_.get(), "row_sum", -1, SQLITE_UTF8, nullptr,
                                            row_sum, nullptr, nullptr);
  if (error != SQLITE_OK) return error;
  return sqlite3_create_function(connection_.get(), "total_sum", 1, SQLITE_UTF8, nullptr, nullptr,
                                 add_to_total, yield_total);
}

int Database::define_replaced(std::uint64_t& sums) {
  return sqlite3_create_function(connection_.get(), "replaced", 2, SQLITE_UTF8, &sums, replaced,
                                 nullptr, nullptr);
}

int Database::changed_rows() const {
  return sqlite3_changes(connection_.get());
}

std::string Database::message() const {
  return connection_ ? sqlite3_errmsg(connection_.get()) : "out of memory";
}

}  // namespace syncrelay
