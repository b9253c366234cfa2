#include "database.h"

namespace syncrelay {

Statement& Statement::bind(int index, std::string_view blob) {
  const int error =
      sqlite3_bind_blob64(statement_.get(), index, blob.data(), blob.size(), SQLITE_STATIC);
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

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
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

std::string Database::message() const {
  return connection_ ? sqlite3_errmsg(connection_.get()) : "out of memory";
}

}  // namespace syncrelay
