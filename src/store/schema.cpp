#include "schema.h"

#include <array>

#include "migration.h"

namespace syncrelay {
namespace {

std::string not_of_this_program(Database& database) {
  const auto application = database.number("PRAGMA application_id");
  if (application != kLiveDatabase && application != kBackupDatabase)
    return "it is the database of another program";
  return std::string("it is damaged: the columns of table position") + kHowToGoOn;
}

}  // namespace

std::string made_by_later(std::uint64_t version) {
  return "it was made by a later version of syncrelay (format " + std::to_string(version) +
         "; this one knows " + std::to_string(kSchemaVersion) +
         "): run that version, or give another --data";
}

Result<Format, std::string> format_of(Database& database) {
  constexpr char kColumns[] =
      "SELECT count(*) FROM pragma_table_info('position')"
      " WHERE name IN ('epoch', 'seq', 'commits', 'ran', 'channels', 'members_sum', 'inbox')";
  constexpr std::array<std::uint64_t, kSchemaVersion> kColumnsOf = {2, 4, 5, 7};
  const auto header = database.number("PRAGMA user_version");
  const auto tables = database.number("SELECT count(*) FROM sqlite_schema");
  const auto columns = database.number(kColumns);
  if (!header || !tables || !columns) return database.message() + kHowToGoOn;
  if (*header > kSchemaVersion) return made_by_later(*header);
  if (*header == 0 && *tables == 0) return Format{0};
  for (std::uint32_t version = 1; version <= kSchemaVersion; ++version) {
    if (*columns != kColumnsOf[version - 1]) continue;
    if (*header == version || *header == 1) return Format{version, *header != version};
  }
  return not_of_this_program(database);
}

Result<Format, std::string> prepare_schema(Database& database) {
  const auto format = format_of(database);
  if (!format || format.value().version == kSchemaVersion) return format;
  if (auto done = migrate(database, format.value()); !done) return done.error();
  return format;
}

}  // namespace syncrelay
