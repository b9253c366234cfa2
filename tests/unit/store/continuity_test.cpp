#include "syncrelay/store/continuity.h"

#include <doctest/doctest.h>

#include <string>

namespace syncrelay {
namespace {

const FileIdentity kDatabase{1, 11, 5};
const FileIdentity kMark{1, 12, 7};

Note note_of_a_kill() {
  return {.epoch = "e",
          .boot = "boot",
          .commits = 40,
          .seq = 100,
          .database = kDatabase.inode,
          .mark = kMark.inode,
          .mark_changed = kMark.changed,
          .running = true,
          .power = false};
}

Found found_after_it() {
  return {"e", 40, 100, false, "boot", kDatabase, kMark};
}

void check_missing(const std::optional<Note>& note, const Found& found, const std::string& words) {
  const auto why = missing(note, found);
  REQUIRE(why.has_value());
  CHECK_MESSAGE(why->find(words) != std::string::npos, *why);
}

TEST_CASE("After a kill on the same boot nothing is missing, also between commit and note") {
  CHECK_FALSE(missing(note_of_a_kill(), found_after_it()).has_value());
  Found ahead = found_after_it();
  ahead.commits = 41;
  ahead.seq = 103;
  CHECK_FALSE(missing(note_of_a_kill(), ahead).has_value());
}

TEST_CASE("After an end in order another boot means nothing, nor after a power cut with `power`") {
  Found found = found_after_it();
  found.boot = "another";
  Note stopped = note_of_a_kill();
  stopped.running = false;
  CHECK_FALSE(missing(stopped, found).has_value());
  Note durable = note_of_a_kill();
  durable.power = true;
  CHECK_FALSE(missing(durable, found).has_value());
}

TEST_CASE("A power cut with `process`, or a boot that cannot be told, may have taken commits") {
  Found found = found_after_it();
  found.boot = "another";
  check_missing(note_of_a_kill(), found, "--durability process");
  Note nameless = note_of_a_kill();
  nameless.boot = "";
  found.boot = "";
  check_missing(nameless, found, "--durability process");
}

TEST_CASE("Commits that were noted and are not there are missing, and it says up to where") {
  Found found = found_after_it();
  found.commits = 37;
  found.seq = 93;
  check_missing(note_of_a_kill(), found, "last 3 commits");
  check_missing(note_of_a_kill(), found, "position 100");
  check_missing(note_of_a_kill(), found, "ends at 93");
}

TEST_CASE("Files that are not those of the last run may be older") {
  Found moved = found_after_it();
  moved.database.inode = 99;
  check_missing(note_of_a_kill(), moved, "copy");
  Found overwritten = found_after_it();
  overwritten.mark->changed = 8;
  check_missing(note_of_a_kill(), overwritten, "copy");
  Found without = found_after_it();
  without.mark.reset();
  check_missing(note_of_a_kill(), without, "copy");
}

TEST_CASE("Without a note, with that of another database and for a backup there is no proof") {
  check_missing(std::nullopt, found_after_it(), "no note");
  Note other = note_of_a_kill();
  other.epoch = "f";
  check_missing(other, found_after_it(), "another");
  Found backup = found_after_it();
  backup.backup = true;
  check_missing(note_of_a_kill(), backup, "backup");
}

TEST_CASE("Where another version of the program ran on the database there is no proof") {
  Found older = found_after_it();
  older.from_format_1 = true;
  check_missing(std::nullopt, older, "from format 1 to 4");
  Found set_back = found_after_it();
  set_back.set_back = true;
  check_missing(note_of_a_kill(), set_back, "0.1.0");
}

}  // namespace
}  // namespace syncrelay
