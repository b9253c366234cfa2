#include "syncrelay/post/story.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "syncrelay/base/utf8.h"

namespace syncrelay {
namespace {

// A record: kind (a byte), time, a, b (LEB128 each), length of the text (a byte), text.
constexpr std::size_t kMaxRecordBytes = 1 + 3 * 10 + 1 + Story::kMaxText;

class RecordWriter {
 public:
  explicit RecordWriter(const StoryRecord& record) {
    const std::string_view text = cut_at_character(record.text, Story::kMaxText);
    put(static_cast<std::uint64_t>(record.kind));
    put(static_cast<std::uint64_t>(std::max<std::int64_t>(record.at.count(), 0)));
    put(record.a);
    put(record.b);
    bytes_[size_++] = static_cast<char>(text.size());
    std::copy(text.begin(), text.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += text.size();
  }
  std::string_view bytes() const { return {bytes_.data(), size_}; }

 private:
  void put(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_[size_++] = static_cast<char>(0x80 | (value & 0x7f));
    bytes_[size_++] = static_cast<char>(value);
  }

  std::array<char, kMaxRecordBytes> bytes_;
  std::size_t size_ = 0;
};

std::uint64_t take_number(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
}

StoryRecord take_record(std::string_view& bytes) {
  StoryRecord record;
  record.kind = static_cast<StoryKind>(take_number(bytes));
  record.at = std::chrono::milliseconds(take_number(bytes));
  record.a = take_number(bytes);
  record.b = take_number(bytes);
  const std::size_t length = static_cast<unsigned char>(bytes.front());
  record.text = bytes.substr(1, length);
  bytes.remove_prefix(1 + length);
  return record;
}

static_assert(Story::kMaxText <= std::numeric_limits<unsigned char>::max());
static_assert(Story::kBeginning + 3 * kMaxRecordBytes < Story::kMaxBytes);

}  // namespace

Story::Story(const Story& other)
    : begin_(other.begin_), dropped_(other.dropped_), size_(0), last_(other.last_) {
  append(other.view());
}

Story& Story::operator=(const Story& other) {
  if (this != &other) *this = Story(other);
  return *this;
}

// What the allocator gives for so many: multiples of 16, less its own word.
std::size_t Story::room_for(std::size_t size) {
  constexpr std::size_t kWord = 8;
  constexpr std::size_t kStep = 16;
  constexpr std::size_t kLeast = 24;
  return std::max(kLeast, (size + kWord + kStep - 1) / kStep * kStep - kWord);
}

std::string_view Story::view() const {
  return {bytes_.get(), size_};
}

void Story::append(std::string_view bytes) {
  const std::size_t size = size_ + bytes.size();
  if (size_ == 0 || room_for(size) != room_for(size_)) {
    std::unique_ptr<char[]> grown(new char[room_for(size)]);
    std::copy_n(bytes_.get(), size_, grown.get());
    bytes_ = std::move(grown);
  }
  std::copy(bytes.begin(), bytes.end(), bytes_.get() + size_);
  size_ = static_cast<std::uint16_t>(size);
}

void Story::add(const StoryRecord& record) {
  const RecordWriter writer(record);
  if (size_ + writer.bytes().size() > kMaxBytes) condense();
  last_ = size_;
  append(writer.bytes());
}

void Story::count(const StoryRecord& record) {
  if (size_ > 0) {
    std::string_view rest = view().substr(last_);
    StoryRecord newest = take_record(rest);
    const std::string_view text = cut_at_character(record.text, kMaxText);
    if (newest.kind == record.kind && newest.a == record.a && newest.text == text) {
      ++newest.b;
      newest.text = text;
      const RecordWriter writer(newest);
      if (last_ + writer.bytes().size() > kMaxBytes) return;  // one byte more in 128 times
      size_ = last_;
      if (size_ == 0) bytes_.reset();
      return append(writer.bytes());
    }
  }
  add(record);
}

std::size_t Story::gap() const {
  std::string_view rest = view();
  std::size_t records = 0;
  while (size_ - rest.size() < kBeginning) {
    take_record(rest);
    ++records;
  }
  return records;
}

// A quarter goes at once, so that what follows has room for a while.
void Story::condense() {
  std::string_view rest = view();
  while (size_ - rest.size() < kBeginning) take_record(rest);
  const std::size_t begin = size_ - rest.size();
  while (size_ - rest.size() - begin < kMaxBytes / 4) {
    take_record(rest);
    if (dropped_ < std::numeric_limits<std::uint32_t>::max()) ++dropped_;
  }
  const std::size_t removed = size_ - rest.size() - begin;
  Story shorter(begin_);
  shorter.append(view().substr(0, begin));
  shorter.append(rest);
  shorter.dropped_ = dropped_;
  shorter.last_ = static_cast<std::uint16_t>(last_ - removed);
  *this = std::move(shorter);
}

std::vector<StoryRecord> Story::records() const {
  std::vector<StoryRecord> records;
  for (std::string_view rest = view(); !rest.empty();) records.push_back(take_record(rest));
  return records;
}

}  // namespace syncrelay
