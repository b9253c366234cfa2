#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace syncrelay {

// What a backup that a relay has made is called, until it is moved to its place.
inline constexpr char kBackupName[] = "syncrelay.backup";

// The paths of what lies in a data directory.
struct DataFiles {
  explicit DataFiles(const std::string& directory);

  std::string directory;
  std::string database;
  std::string wal;      // SQLite's log of what is not in the database's file yet
  std::string journal;  // SQLite's, for the moment before it keeps such a log
  std::string note;
  std::string backup;  // kBackupName
  // An empty file that nobody touches after it was made, with each epoch anew. When it was last
  // touched cannot be forged by copying, so it tells a directory that was put back from a copy.
  std::string mark;
};

// Which file a path names, and when that file was last touched, by whatever means.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t changed = 0;  // nanoseconds

  bool same_file(const FileIdentity& other) const {
    return device == other.device && inode == other.inode;
  }
};

// nullopt when it names none.
std::optional<FileIdentity> identify(const std::string& path);

// What the first bytes of a database's file say without SQLite, which would take in a log beside it
// at once. nullopt when there is no file, or none that is long enough.
struct DatabaseHeader {
  bool is_database;           // of SQLite
  std::uint32_t version;      // user_version
  std::uint32_t application;  // application_id
};
std::optional<DatabaseHeader> read_header(const std::string& path);
std::optional<DatabaseHeader> read_header(int file);

// Whether the file is there and has 0 bytes.
bool is_empty(const std::string& path);

// Makes the file when there is none, and readable by its owner alone in any case. The errno, or 0.
int make_private(const std::string& path);
// The same for a file that may be missing.
void keep_private(const std::string& path);
// Makes the mark anew.
int make_mark(const std::string& path);

// Waits until the disk has the file, or the directory with its names. A file that is not there
// counts as done. The errno, or 0. Not while SQLite has the file open: closing it would take
// SQLite's locks away.
int sync_path(const std::string& path);

// Another one after every start of the machine; empty when it cannot be told.
std::string boot_id();

}  // namespace syncrelay
