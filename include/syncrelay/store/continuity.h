#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "syncrelay/store/data_files.h"
#include "syncrelay/store/note.h"

namespace syncrelay {

// What is found at a start, for comparison with the note of the last run.
struct Found {
  std::string epoch;  // in the database
  std::uint64_t commits;
  std::uint64_t seq;
  bool backup;  // the database is one that `syncrelay backup` made
  std::string boot;
  FileIdentity database;
  std::optional<FileIdentity> mark;
  bool from_format_1 = false;  // it was, until this start
  bool set_back = false;       // see Format in src/store/schema.h
};

// Why something may be missing that was confirmed under the database's epoch; nullopt when the note
// proves that nothing is. The default is doubt: a needless new epoch costs each client a snapshot,
// a position with two meanings costs its state. Pure.
std::optional<std::string> missing(const std::optional<Note>& note, const Found& found);

}  // namespace syncrelay
