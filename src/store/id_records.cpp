#include "id_records.h"

#include "syncrelay/protocol/limits.h"

namespace syncrelay {
namespace {

constexpr int kSeqBytes = 8;
static_assert(kMaxIdBytes < 256, "an id's length is one byte");

}  // namespace

std::string encode_ids(const std::vector<IdRecord>& ids) {
  std::string blob;
  for (const IdRecord& record : ids) {
    blob += static_cast<char>(record.id.size());
    blob += record.id;
    for (int shift = 8 * (kSeqBytes - 1); shift >= 0; shift -= 8)
      blob += static_cast<char>(record.seq.value >> shift);
  }
  return blob;
}

bool decode_ids(std::string_view blob, Duration accepted, std::vector<IdRecord>& ids) {
  while (!blob.empty()) {
    const std::size_t length = static_cast<unsigned char>(blob.front());
    if (blob.size() < 1 + length + kSeqBytes) return false;
    IdRecord record{std::string(blob.substr(1, length)), Seq{0}, accepted};
    for (int byte = 0; byte < kSeqBytes; ++byte) {
      record.seq.value =
          record.seq.value << 8 |
          static_cast<unsigned char>(blob[1 + length + static_cast<std::size_t>(byte)]);
    }
    ids.push_back(std::move(record));
    blob.remove_prefix(1 + length + kSeqBytes);
  }
  return true;
}

}  // namespace syncrelay
