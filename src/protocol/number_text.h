#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

// What the text of a JSON number says, exactly: no double comes between. Precondition of all: it
// is one.
namespace syncrelay {

// A whole number below 2^64, written with digits only: neither 1.0 nor 1e2 nor -0.
std::optional<std::uint64_t> whole_number(std::string_view number);

// So many seconds, over 0 and up to kMaxTtlSeconds; a part of a millisecond counts as a whole one,
// so that nothing ends before its time.
std::optional<std::chrono::milliseconds> ttl_of_seconds(std::string_view number);
// The same, or none at all.
std::optional<std::chrono::milliseconds> milliseconds_of_seconds(std::string_view number);

}  // namespace syncrelay
