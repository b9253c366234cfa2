#pragma once

#include <cstdint>
#include <string>

#include "database.h"
#include "schema.h"
#include "syncrelay/base/result.h"

namespace syncrelay {

// Whether each row of a database of version 2 or 3, and each table, has its sum. The error names
// what has not: "is damaged: …".
Result<void, std::string> check_old(Database& database, std::uint32_t version);

// Makes the tables where there are none, or brings them to this version, in one transaction.
// Nothing is taken that is damaged; version 1 cannot tell. The error lacks the path.
Result<void, std::string> migrate(Database& database, const Format& format);

}  // namespace syncrelay
