#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "syncrelay/relay/store.h"

namespace syncrelay {

// What a relay is at one point of the order as bytes, for others that go on from there: channels,
// values with versions and what is left of their time, members with wills and homes, tombstones,
// ids, and which relays are dead. Events, what clients have said, and the epoch are not in it. The
// form is the same on every machine.
inline constexpr unsigned char kHistoryVersion = 1;

std::string history_bytes(const StoredHistory& history);
// nullopt: the bytes are of another version, or damaged.
std::optional<StoredHistory> read_history(std::string_view bytes);

}  // namespace syncrelay
