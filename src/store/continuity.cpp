#include "syncrelay/store/continuity.h"

namespace syncrelay {
namespace {

std::string lost_commits(const Note& note, const Found& found) {
  const std::string lost = std::to_string(note.commits - found.commits);
  return "the last " + lost + " commits are missing: position " + std::to_string(note.seq) +
         " was confirmed, the database ends at " + std::to_string(found.seq);
}

bool was_copied(const Note& note, const Found& found) {
  return note.database != found.database.inode || !found.mark || note.mark != found.mark->inode ||
         note.mark_changed != found.mark->changed;
}

}  // namespace

std::optional<std::string> missing(const std::optional<Note>& note, const Found& found) {
  if (found.backup) return "the database comes from a backup";
  if (found.from_format_1)
    return "the database was brought from format 1 to 4, and no note of what was confirmed comes "
           "with format 1";
  if (found.set_back) return "version 0.1.0 was started on the database";
  if (!note) return "no note of the last run lies beside the database";
  if (note->epoch != found.epoch) return "the note beside the database is of another one";
  if (note->commits > found.commits) return lost_commits(*note, found);
  if (was_copied(*note, found))
    return "the files were put back from a copy, or touched, since the last run";
  const bool other_boot = found.boot.empty() || note->boot != found.boot;
  if (note->running && other_boot && !note->power)
    return "the machine went down while the relay ran with --durability process: its last commits "
           "may be missing";
  return std::nullopt;
}

}  // namespace syncrelay
