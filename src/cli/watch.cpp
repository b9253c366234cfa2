#include "watch.h"

#include <algorithm>
#include <ostream>
#include <thread>

#include "dial_address.h"
#include "syncrelay/cli/json_printer.h"
#include "syncrelay/cli/report.h"
#include "syncrelay/json/json_parts.h"
#include "unreachable.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{100};  // before connecting again; doubles up to kLongestPause
constexpr milliseconds kLongestPause{2000};
constexpr milliseconds kHandshake{10'000};  // the longest that one is waited for

}  // namespace

bool Watch::run() {
  milliseconds pause = kFirstPause;
  while (true) {
    const std::uint64_t printed_before = printed_;
    const StreamEnd end = read_stream({dial_host(settings_.host), settings_.port, path()},
                                      std::clamp(time_left(), milliseconds(1), kHandshake),
                                      [this](std::string_view message) { return take(message); });
    if (end.kind == StreamEnd::Kind::stopped) return true;
    if (end.kind == StreamEnd::Kind::refused) return fail(end);
    if (printed_ > printed_before) pause = kFirstPause;
    const bool told = printed_ > printed_before || end.kind == StreamEnd::Kind::silent;
    if (told && time_left() > pause) tell(end);
    std::this_thread::sleep_for(std::clamp(time_left(), milliseconds(0), pause));
    if (time_left() <= milliseconds(0)) return fail(end);
    pause = std::min(2 * pause, kLongestPause);
  }
}

void Watch::tell(const StreamEnd& end) const {
  console_.err << "syncrelay: " << printable(end.why) << "; connecting again to " << place()
               << std::endl;
}

bool Watch::fail(const StreamEnd& end) {
  std::string why;
  if (end.kind == StreamEnd::Kind::unreachable)
    why = why_unreachable(dial_host(settings_.host), settings_.port);
  why_ = "cannot watch " + place() + ": " + printable(why.empty() ? end.why : why);
  return false;
}

bool Watch::take(std::string_view message) {
  note_position(message);
  console_.out << (console_.pretty ? message_line(message, console_.color)
                                   : on_a_single_line(message))
               << std::endl;
  ++printed_;
  return console_.out.good() && printed_ != settings_.count;
}

void Watch::note_position(std::string_view message) {
  for (const JsonPart& part : json_parts(message)) {
    if (part.name == "seq") seq_ = part.value;
    if (part.name == "epoch") epoch_ = without_quotes(part.value);
  }
}

// Until the first message, a relay that is out of reach is more likely a wrong address than one
// that comes back.
milliseconds Watch::time_left() const {
  if (printed_ > 0) return milliseconds::max();
  return std::chrono::ceil<milliseconds>(begin_ + settings_.timeout -
                                         std::chrono::steady_clock::now());
}

std::string Watch::path() const {
  return epoch_.empty() ? "/ws/sync" : "/ws/sync?epoch=" + epoch_ + "&seq=" + seq_;
}

std::string Watch::place() const {
  return dial_host(settings_.host) + " port " + std::to_string(settings_.port);
}

}  // namespace syncrelay
