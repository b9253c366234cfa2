#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "syncrelay/base/result.h"

namespace syncrelay {

// What a run of the relay knows of itself, kept outside of the database, so that the next run can
// tell whether the database lost anything since.
struct Note {
  std::string epoch;
  std::string boot;                // of the machine, see boot_id()
  std::uint64_t commits = 0;       // as many are in the database, or more
  std::uint64_t seq = 0;           // the position behind them
  std::uint64_t database = 0;      // the inode of the database's file
  std::uint64_t mark = 0;          // the inode of the mark, see data_files.h
  std::uint64_t mark_changed = 0;  // and when it was last touched
  bool running = false;            // the run has not ended, or not in order
  bool power = false;              // every commit of the run waited for the disk

  bool operator==(const Note&) const = default;
};

// DIR/syncrelay.note. One small record that is overwritten in place at every commit, after it: so
// the database may be ahead of the note (when the process is killed in between), the note never of
// the database, unless commits were lost. Written with one pwrite(), which a kill cannot cut in
// two; it outlives the process without a sync, and with `--durability process` it may be lost with
// the machine, which the boot id tells. Mapped memory would save the call, but a kill could leave
// half a record. Relay thread only, once opened.
class NoteFile {
 public:
  // nullopt when there is none, or none that is whole.
  static std::optional<Note> read(const std::string& path);

  NoteFile() = default;
  NoteFile(const NoteFile&) = delete;
  NoteFile& operator=(const NoteFile&) = delete;
  ~NoteFile();

  // The errno of what went wrong; 0: nothing did. open() makes the file when there is none.
  int open(const std::string& path);
  int write(const Note& note);
  int sync();

 private:
  int fd_ = -1;
};

}  // namespace syncrelay
