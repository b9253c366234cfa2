#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "syncrelay/base/clock.h"

// What the relay's answers look like to a person.
namespace syncrelay {

// A table of the answer's "clients"; empty when there are none. `now` tells how long each is
// connected.
std::string clients_report(std::string_view answer, WallTime now, bool color);

// A table of the answer's "members" in the order of their ids; empty when there are none. `now`
// tells how long each has been there.
std::string members_report(std::string_view answer, WallTime now, bool color);

// A table of the `channels` of answers, each as the relay tells of it.
std::string channels_report(const std::vector<std::string>& channels, bool color);

// The state of an answer with the version of each value: {"radio":{"version":18,"value":…},…}.
std::string versioned_state(std::string_view answer);

// Why the relay did not do what it was asked: "refused: unknown_op: …", with the versions that are
// there now when that is the reason.
std::string refusal_report(std::string_view answer);

// Where a command took effect: "in room:42 at position 7; clients: 3", or of several channels
// "in a at position 7, in b at position 9; clients: 3". `channel`, when it is one; empty: the
// default one, which goes without saying.
std::string position_report(std::string_view answer, std::string_view channel);

// The position and the counters of an answer to "stats" as one flat object, and as a table.
std::string flat_stats(std::string_view answer);
std::string stats_report(std::string_view answer, bool color);

// What an answer to "explain" tells, a line for each sentence, with the time at which that
// happened.
std::string explain_report(std::string_view answer, bool color);

// A table of the answer's "refused", the newest first; empty when there are none.
std::string refused_report(std::string_view answer, bool color);

// A message of the relay on one line: time of day, seq, channel, type, data, and what else it says.
std::string message_line(std::string_view message, bool color);

}  // namespace syncrelay
