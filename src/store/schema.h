#pragma once

#include <cstdint>
#include <string>

#include "database.h"
#include "syncrelay/base/result.h"

namespace syncrelay {

// The format of the database. Version 4: the members of channels, with their wills; what clients
// have said to the backend. Version 3: state by channel and key, with versions and expiries; the
// channels and tombstones; of events to which channels they belong. Version 2 knew one channel:
// `events` held the wire bytes of a batch's events, `ids` a batch's ids, and every row the sum over
// its other columns (row_sum.h). Version 1 had no sums, no count of commits, and wall times in
// `ids`.
inline constexpr std::uint32_t kSchemaVersion = 4;

// The application_id in the database's header.
inline constexpr std::uint32_t kLiveDatabase = 0x53595243;    // "SYRC": a relay's
inline constexpr std::uint32_t kBackupDatabase = 0x53595242;  // "SYRB": made by `syncrelay backup`

// Ends a message on a database that is damaged.
inline constexpr char kHowToGoOn[] =
    "; to go on, put a backup in its place (see `syncrelay backup`), or give another --data to "
    "begin anew";

struct Format {
  std::uint32_t version = kSchemaVersion;  // of the tables; 0: there are none
  // The header says 1, the tables are later: version 0.1.0 of the program writes that before it
  // finds that it cannot use them. So they tell, not the header.
  bool set_back = false;
};

// What is there. A database that a later version made, or another program, is refused. The error
// lacks the path.
Result<Format, std::string> format_of(Database& database);

// Makes the tables, or brings those of earlier versions to this one; returns what was there before.
// What is refused is left as it is, and so is what a kill interrupts. One that was set back stays
// so until kMarkAsLive.
Result<Format, std::string> prepare_schema(Database& database);

// Says in the header what the tables are: a relay's, of this version.
inline constexpr char kMarkAsLive[] =
    "PRAGMA user_version = 4; PRAGMA application_id = 0x53595243;";

// "it was made by a later version of syncrelay (format 5; this one knows 4)", for a refusal.
std::string made_by_later(std::uint64_t version);

}  // namespace syncrelay
