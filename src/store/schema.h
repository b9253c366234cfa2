#pragma once

#include <cstdint>
#include <string>

#include "database.h"
#include "syncrelay/base/result.h"

namespace syncrelay {

// The format of the database. Version 2: `events` holds the wire bytes of a batch's events, `ids` a
// batch's ids, and every row the sum over its other columns (row_sum.h). Version 1 had no sums, no
// count of commits, and wall times in `ids`.
inline constexpr std::uint32_t kSchemaVersion = 2;

// The application_id in the database's header.
inline constexpr std::uint32_t kLiveDatabase = 0x53595243;    // "SYRC": a relay's
inline constexpr std::uint32_t kBackupDatabase = 0x53595242;  // "SYRB": made by `syncrelay backup`

// Ends a message on a database that is damaged.
inline constexpr char kHowToGoOn[] =
    "; to go on, put a backup in its place (see `syncrelay backup`), or give another --data to "
    "begin anew";

// Makes the tables, or brings those of version 1 to this one. A database that a later version made,
// or another program, is refused; it is left as it is. The error lacks the path.
Result<void, std::string> prepare_schema(Database& database);

// "it was made by a later version of syncrelay (format 3; this one knows 2)", for a refusal.
std::string made_by_later(std::uint64_t version);

}  // namespace syncrelay
