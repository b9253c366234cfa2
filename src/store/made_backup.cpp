#include "syncrelay/store/made_backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>

#include "schema.h"
#include "syncrelay/store/data_files.h"
#include "system_error.h"

namespace syncrelay {
namespace {

std::string fault(const std::string& path, const std::string& what) {
  return "cannot take the backup " + path + ": " + what;
}

// Never over a file that is there already.
Result<void, std::string> put_in_place(const std::string& part, const std::string& path) {
  const bool linked = link(part.c_str(), path.c_str()) == 0;
  const std::string why = linked ? "" : system_error("cannot make " + path);
  unlink(part.c_str());
  if (!linked) return why;
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  sync_path(directory.empty() ? "." : directory.string());
  return {};
}

bool copy_bytes(int from, int to) {
  std::array<std::byte, 65536> bytes;
  ssize_t size = 0;
  while ((size = read(from, bytes.data(), bytes.size())) > 0) {
    for (ssize_t done = 0; done < size;) {
      const ssize_t written = write(to, bytes.data() + done, static_cast<std::size_t>(size - done));
      if (written <= 0) return false;
      done += written;
    }
  }
  return size == 0 && fsync(to) == 0;
}

Result<void, std::string> copy_file(int from, const std::string& part) {
  const Descriptor target(open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!target) return system_error("cannot write " + part);
  if (copy_bytes(from, target.get())) return {};
  std::string why = system_error("cannot write " + part);
  unlink(part.c_str());
  return why;
}

// What tells a backup from every other file; nothing when it is one.
std::optional<std::string> problem(int file, uid_t owner) {
  struct stat status {};
  if (fstat(file, &status) != 0) return std::strerror(errno);
  if (!S_ISREG(status.st_mode)) return "it is no regular file";
  if (status.st_nlink != 1) return "the file has other names, too";
  if (status.st_uid != owner) {
    return "the file belongs to user " + std::to_string(status.st_uid) + ", not to user " +
           std::to_string(owner) + " who runs the relay";
  }
  const auto header = read_header(file);
  if (!header || !header->is_database || header->application != kBackupDatabase)
    return "the file is no backup";
  return std::nullopt;
}

}  // namespace

Result<MadeBackup, std::string> MadeBackup::find(const std::string& path,
                                                 std::optional<uid_t> owner) {
  const std::filesystem::path parts(path);
  if (parts.filename() != kBackupName)
    return fault(path, std::string("its name is not ") + kBackupName);
  MadeBackup found;
  found.path_ = path;
  found.directory_ = parts.parent_path().string();
  found.directory_file_ =
      Descriptor(open(found.directory_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  struct stat directory {};
  if (!found.directory_file_ || fstat(found.directory_file_.get(), &directory) != 0)
    return fault(path, std::strerror(errno));
  constexpr int kAsItIs = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  found.file_ = Descriptor(openat(found.directory_file_.get(), kBackupName, kAsItIs));
  if (!found.file_)
    return fault(path, errno == ELOOP ? "it is a symbolic link" : std::strerror(errno));
  const auto wrong = problem(found.file_.get(), owner.value_or(directory.st_uid));
  if (wrong) return fault(path, *wrong);
  return found;
}

Result<void, std::string> MadeBackup::move_to(const std::string& path) {
  const std::string part = path + ".part";
  if (lseek(file_.get(), 0, SEEK_SET) != 0) return system_error("cannot read " + path_);
  if (auto copied = copy_file(file_.get(), part); !copied) return copied;
  if (auto placed = put_in_place(part, path); !placed) return placed;
  remove();
  return {};
}

void MadeBackup::remove() {
  struct stat ours {};
  struct stat there {};
  const int directory = directory_file_.get();
  if (fstat(file_.get(), &ours) != 0 ||
      fstatat(directory, kBackupName, &there, AT_SYMLINK_NOFOLLOW) != 0)
    return;
  if (ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
    unlinkat(directory, kBackupName, 0);
}

}  // namespace syncrelay
