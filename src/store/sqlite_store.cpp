#include "syncrelay/store/sqlite_store.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "backup.h"
#include "database.h"
#include "history_reader.h"
#include "schema.h"
#include "syncrelay/base/crash_point.h"
#include "syncrelay/store/continuity.h"
#include "syncrelay/store/data_files.h"
#include "syncrelay/store/note.h"
#include "tables.h"

namespace syncrelay {
namespace {

// The database belongs to this process alone, which also spares the shared-memory file. Checkpoints
// come every 16 MiB of log, so that a commit seldom waits for one.
constexpr char kOwnPragmas[] = R"(
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA temp_store = MEMORY;
  PRAGMA wal_autocheckpoint = 4096;
)";

// Errors of a COMMIT that show that the log lacks the mark which ends a transaction: it is the last
// thing to be written there.
bool proves_nothing_written(int extended_error) {
  return extended_error == SQLITE_FULL || extended_error == SQLITE_IOERR_WRITE;
}

}  // namespace

struct SqliteStore::Impl {
  explicit Impl(const Settings& store_settings)
      : settings(store_settings),
        files(settings.directory),
        tables(database, {settings.log_bytes, settings.log_events, settings.ids, settings.id_age}) {
  }

  std::string failure(const std::string& what) const;
  std::string with_path(const std::string& fault) const { return files.database + " " + fault; }
  Rejection rejection(int error) const;
  bool power() const { return settings.sync == Sync::power; }

  Result<void, std::string> open();
  Result<void, std::string> check_header();
  Result<void, std::string> check_not_emptied() const;
  Result<void, std::string> prepare_files();
  Result<void, std::string> load(StoredHistory& history, const std::string& epoch_if_new);
  std::optional<std::string> compare(const std::optional<Position>& stored) const;

  Result<void, Rejection> settle();
  int put_epoch();
  int put_note();
  void begin_note();
  Result<void, Rejection> make_ready();
  Result<void, Rejection> check_place();
  std::string restart_without(const std::string& lost) const;
  Result<void, Rejection> end_doubt();

  Result<void, Rejection> store(const StoreBatch& batch);
  void committed();
  Result<void, Rejection> refused(bool at_commit);
  int put_void();
  void close();

  const Settings settings;
  const DataFiles files;
  Database database;
  NoteFile note_file;
  Note note;                       // of this run
  std::unique_ptr<Backup> backup;  // under way
  Tables tables;
  FileIdentity place;                     // of the database's file
  std::optional<FileIdentity> log_place;  // of SQLite's log, once there is one
  bool keeps_mark = true;                 // that of the last run is this one's, too
  bool from_backup = false;               // the database is a backup that no relay has run on
  Format format;                          // as it was found
  bool new_epoch = false;                 // the epoch is not in the database yet
  bool settled = false;                   // epoch and note are those of this run
  bool note_behind = false;
  bool doubt = false;  // a transaction that was refused may be in the log
};

std::string SqliteStore::Impl::failure(const std::string& what) const {
  const int error = database.extended_error() & 0xFF;
  const bool damaged = error == SQLITE_CORRUPT || error == SQLITE_NOTADB;
  return what + " " + files.database + ": " + database.message() + (damaged ? kHowToGoOn : "");
}

// How it is opened and read.

Result<void, std::string> SqliteStore::Impl::open() {
  if (auto checked = check_header(); !checked) return checked;
  if (auto checked = check_not_emptied(); !checked) return checked;
  if (auto prepared = prepare_files(); !prepared) return prepared;
  if (database.open(files.database) != SQLITE_OK) return failure("cannot open");
  if (database.execute(kOwnPragmas) != SQLITE_OK) return failure("cannot use");
  const char* sync = power() ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";
  if (database.execute(sync) != SQLITE_OK) return failure("cannot use");
  const auto prepared = prepare_schema(database);
  if (!prepared) {
    database.close_leaving_the_log();
    // One that was made just now: to the next start it would be one that was emptied.
    if (is_empty(files.database)) unlink(files.database.c_str());
    return "cannot use " + files.database + ": " + prepared.error();
  }
  format = prepared.value();
  from_backup = database.number("PRAGMA application_id") == kBackupDatabase;
  place = identify(files.database).value_or(FileIdentity{});
  if (tables.prepare() != SQLITE_OK) return failure("cannot use");
  return {};
}

// Before SQLite opens the file and takes in a log that lies beside it.
Result<void, std::string> SqliteStore::Impl::check_header() {
  const auto header = read_header(files.database);
  if (!header) return {};
  if (header->version > kSchemaVersion && header->is_database)
    return "cannot use " + files.database + ": " + made_by_later(header->version);
  if (header->application == kBackupDatabase && identify(files.wal))
    return with_path("is a backup, but " + files.wal +
                     " of another database lies beside it: move that away");
  return {};
}

// SQLite would make a new database of it, and delete a log that lies beside it.
Result<void, std::string> SqliteStore::Impl::check_not_emptied() const {
  const std::optional<Note> last = NoteFile::read(files.note);
  if (!last || last->commits == 0 || !is_empty(files.database)) return {};
  return "cannot use " + files.database + ": the database is empty (0 bytes) though position " +
         std::to_string(last->seq) +
         " was confirmed: restore a backup, or move the directory away to begin anew";
}

Result<void, std::string> SqliteStore::Impl::prepare_files() {
  for (const std::string* path : {&files.wal, &files.journal, &files.note}) keep_private(*path);
  if (const int error = make_private(files.database); error != 0)
    return "cannot open " + files.database + ": " + std::strerror(error);
  if (!power()) return {};
  // What a run without `power` left is on the disk before this one is noted as having all there.
  for (const std::string* path : {&files.database, &files.wal, &files.directory}) {
    if (const int error = sync_path(*path); error != 0)
      return "cannot sync " + *path + ": " + std::strerror(error);
  }
  return {};
}

Result<void, std::string> SqliteStore::Impl::load(StoredHistory& history,
                                                  const std::string& epoch_if_new) {
  const auto stored = HistoryReader(database, tables.books()).read(history);
  if (!stored) return with_path(stored.error() + kHowToGoOn);
  if (stored.value()) tables.position() = *stored.value();
  history.missing = compare(stored.value());
  new_epoch = !stored.value() || history.missing;
  if (new_epoch) tables.position().epoch = epoch_if_new;
  keeps_mark = !new_epoch;
  history.epoch = tables.position().epoch;
  // A disk that is full is no reason not to serve what is there: commit() tries again.
  const auto ready = settle();
  if (!ready && ready.error().reason != RejectReason::storage_full) return ready.error().detail;
  return {};
}

std::optional<std::string> SqliteStore::Impl::compare(const std::optional<Position>& stored) const {
  const std::optional<Note> note = NoteFile::read(files.note);
  if (stored) {
    return syncrelay::missing(
        note, {stored->epoch, stored->commits, stored->seq, from_backup, boot_id(), place,
               identify(files.mark), format.version == 1, format.set_back});
  }
  if (!note) return std::nullopt;
  return "the database is gone, and ALL state with it: position " + std::to_string(note->seq) +
         " was confirmed";
}

// How a run begins and ends: epoch, mark and note.

Result<void, Rejection> SqliteStore::Impl::settle() {
  if (settled) return {};
  if (new_epoch) {
    if (put_epoch() != SQLITE_OK) {
      Rejection why = rejection(database.extended_error());
      tables.take_back();
      return why;
    }
    tables.keep();
    new_epoch = false;
    from_backup = false;
  }
  // In this order: whatever a kill leaves undone, the next run finds no proof and takes a new
  // epoch.
  if (!database.use_write_ahead_log()) return rejection(database.extended_error());
  int error = keeps_mark ? 0 : make_mark(files.mark);
  if (error == 0) error = note_file.open(files.note);
  begin_note();
  if (error == 0) error = put_note();
  if (error == 0) error = note_file.sync();
  if (error == 0) error = sync_path(files.directory);
  if (error != 0) {
    return Rejection{error == ENOSPC || error == EDQUOT ? RejectReason::storage_full
                                                        : RejectReason::storage_failed,
                     0, "cannot write " + files.note + ": " + std::strerror(error)};
  }
  settled = true;
  return {};
}

// While the file of a backup has no log of its own yet, so that the header says at once that it is
// none any more.
int SqliteStore::Impl::put_epoch() {
  int error = tables.begin_position();
  if (error == SQLITE_OK && (from_backup || format.set_back)) error = database.execute(kMarkAsLive);
  return error == SQLITE_OK ? tables.commit() : error;
}

// This run as its note tells it.
void SqliteStore::Impl::begin_note() {
  const FileIdentity mark = identify(files.mark).value_or(FileIdentity{});
  note = {.epoch = tables.position().epoch,
          .boot = boot_id(),
          .commits = tables.position().commits,
          .seq = tables.position().seq,
          .database = place.inode,
          .mark = mark.inode,
          .mark_changed = mark.changed,
          .running = true,
          .power = power()};
}

Rejection SqliteStore::Impl::rejection(int error) const {
  return {(error & 0xFF) == SQLITE_FULL ? RejectReason::storage_full : RejectReason::storage_failed,
          0, failure("cannot write")};
}

int SqliteStore::Impl::put_note() {
  note.commits = tables.position().commits;
  note.seq = tables.position().seq;
  const int error = note_file.write(note);
  note_behind = error != 0;
  return error;
}

// The note of an end in order: only when the disk has all that it speaks of.
void SqliteStore::Impl::close() {
  backup.reset();
  tables.close();
  database.close();
  if (!settled) return;
  for (const std::string* path : {&files.database, &files.wal, &files.directory}) {
    if (sync_path(*path) != 0) return;
  }
  note.running = false;
  if (put_note() == 0) note_file.sync();
}

// Whether a commit may be tried, and would be what it promises to be.

Result<void, Rejection> SqliteStore::Impl::make_ready() {
  if (auto there = check_place(); !there) return there;
  if (auto done = settle(); !done) return done;
  if (auto done = end_doubt(); !done) return done;
  if (!note_behind) return {};
  if (const int error = put_note(); error != 0)
    return Rejection{RejectReason::storage_failed, 0,
                     "cannot write " + files.note + ": " + std::strerror(error)};
  return {};
}

// What is written to a file that no path names any more is lost at the next start.
Result<void, Rejection> SqliteStore::Impl::check_place() {
  const auto is_there = [](const std::string& path, const FileIdentity& opened) {
    const auto now = identify(path);
    return now && now->same_file(opened);
  };
  const bool database_is_there = is_there(files.database, place);
  if (database_is_there && (!log_place || is_there(files.wal, *log_place))) return {};
  const std::string& lost = database_is_there ? files.wal : files.database;
  return Rejection{RejectReason::storage_failed, 0,
                   lost +
                       " was deleted or replaced while the relay has it open: put it back where it "
                       "was; a restart begins " +
                       restart_without(lost)};
}

// What a restart would begin with that finds the directory as it is.
std::string SqliteStore::Impl::restart_without(const std::string& lost) const {
  if (identify(lost)) return "with what lies there now";
  return lost == files.wal ? "without what it held" : "with an empty state";
}

// SQLite may have written a whole transaction before it learned that the disk failed. It writes the
// next one over it: one that changes nothing but the count of commits ends all doubt once the disk
// has it.
Result<void, Rejection> SqliteStore::Impl::end_doubt() {
  if (!doubt) return {};
  if (const int error = put_void(); error != SQLITE_OK) return rejection(error);
  doubt = false;
  return {};
}

int SqliteStore::Impl::put_void() {
  int error = tables.begin_void();
  if (error == SQLITE_OK) error = tables.commit();
  if (error != SQLITE_OK) {
    tables.take_back();
    return error;
  }
  committed();
  return SQLITE_OK;
}

// A batch.

Result<void, Rejection> SqliteStore::Impl::store(const StoreBatch& batch) {
  int error = tables.begin_batch(batch);
  const bool at_commit = error == SQLITE_OK;
  crash_point("before_commit");
  if (at_commit) error = tables.commit();
  if (error != SQLITE_OK) return refused(at_commit);
  crash_point("before_note");
  committed();
  return {};
}

void SqliteStore::Impl::committed() {
  tables.keep();
  put_note();
  if (!log_place) log_place = identify(files.wal);
}

Result<void, Rejection> SqliteStore::Impl::refused(bool at_commit) {
  Rejection why = rejection(database.extended_error());
  const bool may_be_there = at_commit && !proves_nothing_written(database.extended_error());
  tables.take_back();
  if (!may_be_there || put_void() == SQLITE_OK) return why;
  doubt = true;
  return Rejection{RejectReason::storage_uncertain, 0,
                   why.detail +
                       "; the command is not in effect, but would be after a crash of the relay "
                       "before the storage can be written again: send it again with the same id"};
}

SqliteStore::SqliteStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

SqliteStore::~SqliteStore() {
  if (impl_) impl_->close();
}

Result<std::unique_ptr<SqliteStore>, std::string> SqliteStore::open(const Settings& settings) {
  auto impl = std::make_unique<Impl>(settings);
  if (auto opened = impl->open(); !opened) return opened.error();
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(impl)));
}

Result<StoredHistory, std::string> SqliteStore::load(const std::string& epoch_if_new) {
  StoredHistory history;
  if (auto loaded = impl_->load(history, epoch_if_new); !loaded) return loaded.error();
  return history;
}

Result<void, Rejection> SqliteStore::commit(const StoreBatch& batch) {
  if (auto ready = impl_->make_ready(); !ready) return ready;
  return impl_->store(batch);
}

Result<void, Rejection> SqliteStore::begin_backup() {
  if (auto ready = impl_->make_ready(); !ready) return ready;
  auto begun = Backup::begin(impl_->database, impl_->files.backup);
  if (!begun) return begun.error();
  impl_->backup = std::move(begun).value();
  return {};
}

std::optional<Result<std::string, Rejection>> SqliteStore::step_backup() {
  const auto ended = impl_->backup->step();
  if (!ended) return std::nullopt;
  impl_->backup.reset();
  if (!*ended) return ended->error();
  std::error_code ignored;
  const std::filesystem::path absolute = std::filesystem::absolute(impl_->files.backup, ignored);
  return absolute.empty() ? impl_->files.backup : absolute.string();
}

}  // namespace syncrelay
