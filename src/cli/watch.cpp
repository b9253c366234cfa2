#include "watch.h"

#include <algorithm>
#include <ostream>
#include <thread>

#include "dial_address.h"
#include "syncrelay/cli/json_printer.h"
#include "syncrelay/cli/report.h"
#include "syncrelay/json/json_parts.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{100};  // before connecting again; doubles up to kLongestPause
constexpr milliseconds kLongestPause{2000};

}  // namespace

bool Watch::run() {
  milliseconds pause = kFirstPause;
  while (true) {
    const std::uint64_t printed_before = printed_;
    const StreamEnd end = read_stream({dial_host(settings_.host), settings_.port, path()},
                                      [this](std::string_view message) { return take(message); });
    if (end.kind == StreamEnd::Kind::stopped) return true;
    if (is_final(end)) {
      why_ = "cannot watch " + place() + ": " + printable(end.why);
      return false;
    }
    if (printed_ > printed_before) {
      console_.err << "syncrelay: " << printable(end.why) << "; connecting again to " << place()
                   << std::endl;
      pause = kFirstPause;
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, kLongestPause);
  }
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
bool Watch::is_final(const StreamEnd& end) const {
  if (end.kind == StreamEnd::Kind::refused) return true;
  return printed_ == 0 && std::chrono::steady_clock::now() - begin_ >= settings_.timeout;
}

std::string Watch::path() const {
  return epoch_.empty() ? "/ws/sync" : "/ws/sync?epoch=" + epoch_ + "&seq=" + seq_;
}

std::string Watch::place() const {
  return dial_host(settings_.host) + " port " + std::to_string(settings_.port);
}

}  // namespace syncrelay
