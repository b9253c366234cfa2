#include "syncrelay/store/data_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <string_view>

#include "syncrelay/base/descriptor.h"

namespace syncrelay {
namespace {

constexpr mode_t kOwnerOnly = 0600;

std::uint32_t big_endian(const unsigned char* bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}

int create(const std::string& path, int flags) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | flags, kOwnerOnly);
  if (fd < 0) return errno;
  const int result = fchmod(fd, kOwnerOnly) == 0 ? 0 : errno;
  close(fd);
  return result;
}

}  // namespace

DataFiles::DataFiles(const std::string& in_directory)
    : directory(in_directory),
      database(in_directory + "/syncrelay.db"),
      wal(database + "-wal"),
      journal(database + "-journal"),
      note(in_directory + "/syncrelay.note"),
      backup(in_directory + '/' + kBackupName),
      mark(in_directory + "/syncrelay.mark") {}

std::optional<FileIdentity> identify(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  constexpr std::uint64_t kNanoseconds = 1'000'000'000;
  return FileIdentity{status.st_dev, status.st_ino,
                      static_cast<std::uint64_t>(status.st_ctim.tv_sec) * kNanoseconds +
                          static_cast<std::uint64_t>(status.st_ctim.tv_nsec)};
}

std::optional<DatabaseHeader> read_header(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file ? read_header(file.get()) : std::nullopt;
}

std::optional<DatabaseHeader> read_header(int file) {
  constexpr std::size_t kVersionAt = 60;
  constexpr std::size_t kApplicationAt = 68;
  std::array<unsigned char, 100> header{};
  const ssize_t size = pread(file, header.data(), header.size(), 0);
  if (size != static_cast<ssize_t>(header.size())) return std::nullopt;
  const bool is_database =
      std::string_view(reinterpret_cast<const char*>(header.data()), 15) == "SQLite format 3";
  return DatabaseHeader{is_database, big_endian(&header[kVersionAt]),
                        big_endian(&header[kApplicationAt])};
}

bool is_empty(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && status.st_size == 0;
}

int make_private(const std::string& path) {
  return create(path, 0);
}

void keep_private(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || (status.st_mode & 0777) == kOwnerOnly) return;
  if (chmod(path.c_str(), kOwnerOnly) != 0) return;  // somebody else's: SQLite will say what it can
}

int make_mark(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return errno;
  return create(path, O_EXCL);
}

int sync_path(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 0 : errno;
  const int result = fsync(fd) == 0 ? 0 : errno;
  close(fd);
  return result;
}

std::string boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id;
}

}  // namespace syncrelay
