#include "watch.h"

#include <algorithm>
#include <cstdio>
#include <ostream>
#include <thread>
#include <utility>

#include "dial_address.h"
#include "syncrelay/cli/json_printer.h"
#include "syncrelay/cli/report.h"
#include "syncrelay/config/token_text.h"
#include "syncrelay/json/json_parts.h"
#include "syncrelay/json/json_text.h"
#include "syncrelay/protocol/channel_name.h"
#include "unreachable.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{100};  // before connecting again; doubles up to kLongestPause
constexpr milliseconds kLongestPause{2000};
constexpr milliseconds kHandshake{10'000};  // the longest that one is waited for

// For the query of an address.
std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      char code[4];
      std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned char>(c));
      out += code;
    }
  }
  return out;
}

std::string shown(std::string_view channel) {
  return channel.empty() ? "the default channel" : printable(channel);
}

}  // namespace

std::string Watch::argument_for(const Followed& followed) {
  const std::string name = "channel=" + followed.channel;
  if (followed.epoch.empty()) return name;
  return name + ',' + percent_encoded(followed.epoch) + ',' + followed.seq;
}

std::string Watch::message_for(const Followed& followed) {
  const std::string name = R"({"type":"sync:subscribe","channel":)" + json_string(followed.channel);
  if (followed.epoch.empty()) return name + '}';
  return name + R"(,"epoch":)" + json_string(followed.epoch) + R"(,"seq":)" + followed.seq + '}';
}

Watch::Watch(const Settings& settings, const Console& console)
    : settings_(settings), console_(console) {
  for (const std::string& channel : settings.channels) followed_.push_back({channel, {}, {}});
  if (followed_.empty()) followed_.emplace_back();
}

bool Watch::run() {
  milliseconds pause = kFirstPause;
  while (true) {
    const std::uint64_t printed_before = printed_;
    const StreamEnd end = attempt();
    if (!is_left() && console_.out.good()) return fail({StreamEnd::Kind::refused, last_end_});
    if (end.kind == StreamEnd::Kind::stopped) return true;
    if (end.kind == StreamEnd::Kind::refused) return fail(end);
    if (printed_ > printed_before) pause = kFirstPause;
    const bool told = printed_ > printed_before || end.kind == StreamEnd::Kind::silent;
    if (told && time_left() > pause) tell(end);
    const milliseconds wait = std::max<milliseconds>(pause, end.again_in);
    std::this_thread::sleep_for(std::clamp(time_left(), milliseconds(0), wait));
    if (time_left() <= milliseconds(0)) return fail(end);
    pause = std::min(2 * pause, kLongestPause);
  }
}

StreamEnd Watch::attempt() {
  StreamTarget target = this->target();
  if (settings_.token_file.empty()) {
    target.token = settings_.token;
  } else {
    auto token = read_token_file(settings_.token_file);
    if (!token)  // one that was there is about to be written anew
      return {printed_ > 0 ? StreamEnd::Kind::silent : StreamEnd::Kind::refused,
              token.error().reason};
    target.token = std::move(token).value();
  }
  return read_stream(target, std::clamp(time_left(), milliseconds(1), kHandshake),
                     [this](std::string_view message) { return take(message); });
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
  note(message);
  console_.out << (console_.pretty ? message_line(message, console_.color)
                                   : on_a_single_line(message))
               << std::endl;
  ++printed_;
  return is_left() && console_.out.good() && printed_ != settings_.count;
}

// Whether one is left of those that were asked for.
bool Watch::is_left() const {
  return std::any_of(followed_.begin(), followed_.end(),
                     [](const Followed& followed) { return followed.asked; });
}

void Watch::note(std::string_view message) {
  const std::string channel = decoded_json_string(json_member(message, "channel"));
  auto found =
      std::find_if(followed_.begin(), followed_.end(),
                   [&channel](const Followed& followed) { return followed.channel == channel; });
  if (found == followed_.end()) {
    if (!is_personal(channel) || json_member(message, "epoch").empty()) return;
    found = followed_.insert(found, {channel, {}, {}, false});
  }
  const std::string_view type = without_quotes(json_member(message, "type"));
  if (type == "sync:refused" || type == "sync:unsubscribed") {
    note_end(*found, type, message);
    followed_.erase(found);
    return;
  }
  for (const JsonPart& part : json_parts(message)) {
    if (part.name == "seq") found->seq = part.value;
    if (part.name == "epoch") found->epoch = decoded_json_string(part.value);
  }
}

void Watch::note_end(const Followed& followed, std::string_view type, std::string_view message) {
  const auto text = [message](std::string_view name) {
    return printable(decoded_json_string(json_member(message, name)));
  };
  last_end_ = type == "sync:refused" ? "the relay refuses " + shown(followed.channel) + ": " +
                                           text("code") + ": " + text("message")
                                     : shown(followed.channel) + " is over: " + text("reason");
  const bool others = followed_.size() > 1;
  if (others) console_.err << "syncrelay: " << last_end_ << std::endl;
}

// Until the first message, a relay that is out of reach is more likely a wrong address than one
// that comes back.
milliseconds Watch::time_left() const {
  if (printed_ > 0) return milliseconds::max();
  return std::chrono::ceil<milliseconds>(begin_ + settings_.timeout -
                                         std::chrono::steady_clock::now());
}

// As much by the address as fits there, the rest by messages. Without other channels than the
// default one it says what an older relay understands, too.
StreamTarget Watch::target() const {
  StreamTarget target = {dial_host(settings_.host), settings_.port, settings_.tls, "/ws/sync", {}};
  const Followed& first = followed_.front();
  if (followed_.size() == 1 && first.channel.empty()) {
    if (!first.epoch.empty())
      target.path += "?epoch=" + percent_encoded(first.epoch) + "&seq=" + first.seq;
    return target;
  }
  for (const Followed& followed : followed_) {
    const std::string argument = argument_for(followed);
    const bool is_first = &followed == &first;
    if (is_first || target.path.size() + argument.size() < kMaxPath)
      target.path += (is_first ? '?' : '&') + argument;
    else
      target.words.push_back(message_for(followed));
  }
  return target;
}

std::string Watch::place() const {
  return dial_host(settings_.host) + " port " + std::to_string(settings_.port);
}

}  // namespace syncrelay
