#pragma once

#include <cstdint>
#include <string>

#include "database.h"
#include "schema.h"
#include "syncrelay/base/result.h"

namespace syncrelay {

// Whether each row of a database of an earlier version, and each table, has its sum, as far as that
// version has any: version 1 has none. The error names what has not: "is damaged: …".
Result<void, std::string> check_version(Database& database, std::uint32_t version);

// Makes the tables where there are none, or brings them to this version, in one transaction.
// Nothing is taken that is damaged; version 1 cannot tell. The error lacks the path.
Result<void, std::string> migrate(Database& database, const Format& format);

}  // namespace syncrelay
