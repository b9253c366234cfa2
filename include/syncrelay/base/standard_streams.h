#pragma once

#include <string_view>

namespace syncrelay {

// Opens /dev/null for each of the three standard streams that is closed: else the next file or
// socket that is opened takes its number, and log lines go into that. Reading a standard input that
// was closed stays an error. To be called before anything is opened.
void occupy_standard_streams();

// Writes all of `text`, waiting for room also where the descriptor does not block; false when that
// is not possible. It may block for ever. Thread-safe.
bool write_all(int fd, std::string_view text);

}  // namespace syncrelay
