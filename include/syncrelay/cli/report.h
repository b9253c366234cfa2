#pragma once

#include <string>
#include <string_view>

#include "syncrelay/base/clock.h"

// What the relay's answers look like to a person.
namespace syncrelay {

// A table of the answer's "clients", or a sentence when there are none. `now` tells how long each
// is connected.
std::string clients_report(std::string_view answer, WallTime now, bool color);

// The position and the counters of an answer to "stats" as one flat object, and as a table.
std::string flat_stats(std::string_view answer);
std::string stats_report(std::string_view answer, bool color);

// A message of the relay on one line: time of day, seq, type, data, and what else it says.
std::string message_line(std::string_view message, bool color);

}  // namespace syncrelay
