#include "syncrelay/protocol/deflater.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <new>

#include "syncrelay/protocol/frame.h"

namespace syncrelay {
namespace {

// Measured on JSON events of 200 to 1,000 bytes: a message costs the clearing of the hash table,
// which has 2^(kMemoryLevel + 7) entries, and larger windows gain nothing. Level 6 makes typical
// events 3 % shorter and long ones 9 %, in a tenth to a third more time; but a text of few letters,
// or of numbers, takes it 60 to 80 ms a MiB, where level 4 needs 17, and 8 for JSON.
constexpr int kLevel = 4;
constexpr int kMemoryLevel = 5;

constexpr std::size_t kFirstOutput = 4 * 1024;
constexpr std::size_t kKeptOutput = 256 * 1024;

}  // namespace

struct Deflater::Stream {
  Stream() {
    if (deflateInit2(&z, kLevel, Z_DEFLATED, -kWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
        Z_OK)
      throw std::bad_alloc();
  }
  ~Stream() { deflateEnd(&z); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  z_stream z{};
};

Deflater::Deflater() = default;
Deflater::~Deflater() = default;

void Deflater::begin() {
  if (!stream_) stream_ = std::make_unique<Stream>();
  deflateReset(&stream_->z);
  used_ = 0;
  most_ = SIZE_MAX;
  if (out_.size() > kKeptOutput) std::string().swap(out_);
}

void Deflater::add(std::string_view text) {
  stream_->z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream_->z.avail_in = static_cast<uInt>(text.size());
  run(Z_NO_FLUSH);
}

std::string_view Deflater::end() {
  run(Z_SYNC_FLUSH);
  return {out_.data(), used_};
}

// It is done when it leaves room (zlib.h, deflate()); one byte more than may be shows that there
// are more.
void Deflater::run(int flush) {
  z_stream& z = stream_->z;
  do {
    if (used_ > most_) return;
    if (used_ == out_.size()) out_.resize(out_.empty() ? kFirstOutput : 2 * out_.size());
    z.next_out = reinterpret_cast<Bytef*>(out_.data() + used_);
    const std::size_t room = std::min(out_.size(), most_ < SIZE_MAX ? most_ + 1 : most_) - used_;
    z.avail_out = static_cast<uInt>(room);
    deflate(&z, flush);
    used_ += room - z.avail_out;
  } while (z.avail_out == 0);
}

// RFC 1951 section 3.2.4, at a byte's boundary: not the last block, stored.
void Deflater::append_stored(std::string& payload, std::string_view text) {
  const auto size = static_cast<std::uint16_t>(text.size());
  const auto byte = [&](unsigned value) { payload += static_cast<char>(value & 0xff); };
  byte(0);
  byte(size);
  byte(size >> 8U);
  byte(~size);
  byte(~size >> 8);
  payload.append(text);
}

// An empty stored block ends it; what that consists of but for its first byte is left out.
void Deflater::append_stored_end(std::string& payload, std::string_view text) {
  append_stored(payload, text);
  payload += '\0';
}

std::optional<std::string_view> Deflater::deflate_message(ByteSpan frames, std::size_t most) {
  begin();
  if (most < SIZE_MAX - kBlockEnd.size()) most_ = most + kBlockEnd.size();
  while (!frames.empty() && used_ <= most_) {
    const FrameParts frame = first_frame(frames);
    add(as_text(frame.payload));
    frames = frames.subspan(frame.size);
  }
  std::string_view deflated = end();
  if (used_ > most_) return std::nullopt;
  deflated.remove_suffix(kBlockEnd.size());
  return deflated;
}

}  // namespace syncrelay
