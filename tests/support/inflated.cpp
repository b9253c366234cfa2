#include "support/inflated.h"

#include <zlib.h>

namespace syncrelay::testing {
namespace {

constexpr std::string_view kTail{"\x00\x00\xff\xff", 4};

Bytef* bytes_of(std::string& text) {
  return reinterpret_cast<Bytef*>(text.data());
}

}  // namespace

std::optional<std::string> inflated(std::string_view payload, int window_bits) {
  std::string in = std::string(payload).append(kTail);
  std::string out;
  std::string block(16 * 1024, '\0');
  z_stream z{};
  if (inflateInit2(&z, -window_bits) != Z_OK) return std::nullopt;
  z.next_in = bytes_of(in);
  z.avail_in = static_cast<uInt>(in.size());
  int result = Z_OK;
  do {
    z.next_out = bytes_of(block);
    z.avail_out = static_cast<uInt>(block.size());
    result = inflate(&z, Z_SYNC_FLUSH);
    out.append(block, 0, block.size() - z.avail_out);
  } while (result == Z_OK && (z.avail_in > 0 || z.avail_out == 0));
  inflateEnd(&z);
  const bool whole = (result == Z_OK || result == Z_BUF_ERROR) && z.avail_in == 0;
  return whole ? std::optional(out) : std::nullopt;
}

std::string deflated(std::string_view text) {
  std::string in(text);
  z_stream z{};
  deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, in.size()) + 16, '\0');
  z.next_in = bytes_of(in);
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = bytes_of(out);
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_SYNC_FLUSH);
  out.resize(out.size() - z.avail_out - kTail.size());
  deflateEnd(&z);
  return out;
}

}  // namespace syncrelay::testing
