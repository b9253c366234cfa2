#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "row_sum.h"
#include "syncrelay/relay/store.h"

namespace syncrelay {

// Columns that hold several things, or mostly nothing: then they are empty and cost nothing.

// `expiry` of table state: whether clients are told (1 byte), when (8 bytes), after how many
// milliseconds (8 bytes). Empty: the key stays.
std::string encode_expiry(const std::optional<Expiry>& expiry);
// False when the column is damaged.
bool decode_expiry(std::string_view column, std::optional<Expiry>& expiry);

// `channels` of table position: the generation of the tombstones, and what the tables channels and
// tombstones sum up to (8 bytes each). Empty: all are zero, as without other channels than the
// default one.
std::string encode_channels(const Position& position);
// False when the column is damaged.
bool decode_channels(std::string_view column, Position& position);

// `inbox` of table position: the number of the next message, whether a backend has ever received (1
// byte), and what the tables inbox and refs sum up to (8 bytes each). Empty: nothing was ever said,
// and nobody has received.
std::string encode_inbox(const Position& position);
// False when the column is damaged.
bool decode_inbox(std::string_view column, Position& position);

}  // namespace syncrelay
