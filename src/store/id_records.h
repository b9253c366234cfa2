#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/relay/store.h"

namespace syncrelay {

// The ids or refs of a batch as one blob: for each, length (1 byte), id, seq (8 bytes, big-endian).
std::string encode_ids(std::span<const IdRecord> ids);

// Appends what the blob holds, all accepted at `accepted`. False when the blob is damaged.
bool decode_ids(std::string_view blob, Duration accepted, std::vector<IdRecord>& ids);

}  // namespace syncrelay
