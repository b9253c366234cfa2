#include "syncrelay/store/note.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "syncrelay/base/crc64.h"

namespace syncrelay {
namespace {

constexpr std::array<char, 8> kMagic = {'s', 'y', 'n', 'c', 'n', 'o', 't', '1'};

// As it lies in the file, in this machine's byte order. Within one sector of any disk.
struct Record {
  std::array<char, 8> magic;
  std::array<char, 48> epoch;  // filled up with zeros
  std::array<char, 48> boot;
  std::uint64_t commits;
  std::uint64_t seq;
  std::uint64_t database;
  std::uint64_t mark;
  std::uint64_t mark_changed;
  std::uint32_t running;
  std::uint32_t power;
  std::uint64_t sum;  // of all before it
};
static_assert(sizeof(Record) == 160 && sizeof(Record) <= 512);

std::uint64_t sum_of(const Record& record) {
  return Crc64()
      .add(std::string_view(reinterpret_cast<const char*>(&record), offsetof(Record, sum)))
      .value();
}

template <std::size_t N>
void put(std::array<char, N>& field, const std::string& text) {
  field.fill('\0');
  std::copy_n(text.begin(), std::min(text.size(), N), field.begin());
}

template <std::size_t N>
std::string text_of(const std::array<char, N>& field) {
  return {field.begin(), std::find(field.begin(), field.end(), '\0')};
}

int open_file(const std::string& path, int flags) {
  return ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
}

}  // namespace

std::optional<Note> NoteFile::read(const std::string& path) {
  const int fd = open_file(path, O_RDONLY);
  if (fd < 0) return std::nullopt;
  Record record{};
  const ssize_t size = pread(fd, &record, sizeof record, 0);
  close(fd);
  if (size != sizeof record || record.magic != kMagic || record.sum != sum_of(record))
    return std::nullopt;
  return Note{.epoch = text_of(record.epoch),
              .boot = text_of(record.boot),
              .commits = record.commits,
              .seq = record.seq,
              .database = record.database,
              .mark = record.mark,
              .mark_changed = record.mark_changed,
              .running = record.running != 0,
              .power = record.power != 0};
}

NoteFile::~NoteFile() {
  if (fd_ >= 0) close(fd_);
}

int NoteFile::open(const std::string& path) {
  if (fd_ >= 0) return 0;
  fd_ = open_file(path, O_RDWR | O_CREAT);
  return fd_ < 0 ? errno : 0;
}

int NoteFile::write(const Note& note) {
  Record record{};
  record.magic = kMagic;
  put(record.epoch, note.epoch);
  put(record.boot, note.boot);
  record.commits = note.commits;
  record.seq = note.seq;
  record.database = note.database;
  record.mark = note.mark;
  record.mark_changed = note.mark_changed;
  record.running = note.running ? 1 : 0;
  record.power = note.power ? 1 : 0;
  record.sum = sum_of(record);
  errno = ENOSPC;  // what a short write stands for
  return pwrite(fd_, &record, sizeof record, 0) == sizeof record ? 0 : errno;
}

int NoteFile::sync() {
  return fsync(fd_) == 0 ? 0 : errno;
}

}  // namespace syncrelay
