#include "id_records.h"

#include <utility>

#include "big_endian.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay {

static_assert(kMaxIdBytes < 256, "an id's length is one byte");

std::string encode_ids(std::span<const IdRecord> ids) {
  std::string blob;
  for (const IdRecord& record : ids) {
    blob += static_cast<char>(record.id.size());
    blob += record.id;
    append_number(blob, record.seq.value);
  }
  return blob;
}

bool decode_ids(std::string_view blob, Duration accepted, std::vector<IdRecord>& ids) {
  while (!blob.empty()) {
    const std::size_t length = static_cast<unsigned char>(blob.front());
    if (blob.size() < 1 + length + kNumberBytes) return false;
    std::string id(blob.substr(1, length));
    blob.remove_prefix(1 + length);
    ids.push_back({std::move(id), Seq{take_number(blob)}, accepted});
  }
  return true;
}

}  // namespace syncrelay
