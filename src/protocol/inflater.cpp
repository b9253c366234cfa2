#include "syncrelay/protocol/inflater.h"

#include <zlib.h>

#include <algorithm>
#include <new>

#include "syncrelay/protocol/deflater.h"

namespace syncrelay {
namespace {

constexpr int kLargestWindow = 15;  // what a client may use that was not told otherwise
constexpr std::size_t kFirstText = 4 * 1024;
constexpr std::size_t kKeptText = 256 * 1024;

}  // namespace

struct Inflater::Stream {
  Stream() {
    if (inflateInit2(&z, -kLargestWindow) != Z_OK) throw std::bad_alloc();
  }
  ~Stream() { inflateEnd(&z); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  z_stream z{};
  bool ended = false;  // the last block that was inflated was said to be the last of all
};

Inflater::Inflater() = default;
Inflater::~Inflater() = default;

Result<std::string_view, CloseCause> Inflater::inflate(std::string_view payload,
                                                       std::size_t max_bytes) {
  if (!stream_) stream_ = std::make_unique<Stream>();
  inflateReset(&stream_->z);
  stream_->ended = false;
  used_ = 0;
  if (out_.size() > kKeptText) std::string().swap(out_);
  const bool whole = take(payload, max_bytes) &&
                     (stream_->ended || (take(Deflater::kBlockEnd, max_bytes) && at_block_end()));
  if (used_ > max_bytes) return CloseCause::message_too_large;
  if (!whole) return CloseCause::invalid_deflate;
  return std::string_view(out_).substr(0, used_);
}

// False: it is invalid, or inflates to more than `max_bytes`.
bool Inflater::take(std::string_view deflated, std::size_t max_bytes) {
  z_stream& z = stream_->z;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(deflated.data()));
  z.avail_in = static_cast<uInt>(deflated.size());
  do {
    if (stream_->ended) inflateReset(&z);
    make_room(max_bytes);
    z.next_out = reinterpret_cast<Bytef*>(out_.data() + used_);
    z.avail_out = static_cast<uInt>(out_.size() - used_);
    const int result = ::inflate(&z, Z_SYNC_FLUSH);
    used_ = out_.size() - z.avail_out;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return false;
    stream_->ended = result == Z_STREAM_END;
    if (used_ > max_bytes) return false;
  } while (z.avail_in > 0 || z.avail_out == 0);
  return true;
}

// One byte more than is allowed shows that there are more.
void Inflater::make_room(std::size_t max_bytes) {
  if (used_ < out_.size()) return;
  out_.resize(std::min(std::max(kFirstText, 2 * out_.size()), std::max(max_bytes + 1, used_ + 1)));
}

// Behind a block, at a byte's boundary (zlib.h, inflate()).
bool Inflater::at_block_end() const {
  constexpr int kBlockEnd = 128;
  return stream_->z.data_type == kBlockEnd;
}

}  // namespace syncrelay
