#include "bench.h"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <sstream>
#include <utility>

#include "ask_relay.h"
#include "dial_address.h"
#include "request_text.h"
#include "syncrelay/cli/json_printer.h"
#include "syncrelay/config/address.h"
#include "syncrelay/json/json_parts.h"
#include "syncrelay/protocol/channel_name.h"
#include "unreachable.h"

namespace syncrelay {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kAtOnce = 64;       // handshakes under way
constexpr std::uint64_t kOwnFiles = 100;  // descriptors that are no clients'
constexpr milliseconds kNap{50};
constexpr auto kChannelTime = std::chrono::hours(24);  // in case nobody drops it

double own_cpu_seconds() {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// What all cores did since the start: busy, and in all; in ticks.
struct MachineTime {
  double busy = 0;
  double all = 0;
};

MachineTime machine_time() {
  constexpr int kFields = 8;  // user nice system idle iowait irq softirq steal
  constexpr int kIdle = 3;
  constexpr int kWaiting = 4;
  std::ifstream file("/proc/stat");
  std::string word;
  file >> word;
  MachineTime time;
  double ticks = 0;
  for (int field = 0; field < kFields && file >> ticks; ++field) {
    time.all += ticks;
    if (field != kIdle && field != kWaiting) time.busy += ticks;
  }
  return time;
}

std::string bench_path() {
  return "/ws/sync?channel=" + std::string(kBenchChannel);
}

StreamTarget at_channel(StreamTarget target) {
  target.path = bench_path();
  return target;
}

}  // namespace

bool is_elsewhere(const Config& config) {
  const std::string host = dial_host(config.host);
  const bool v6 = host.find(':') != std::string::npos;
  const std::string port = "tcp://" + (v6 ? '[' + host + ']' : host) + ":1";
  const std::string control = dial_endpoint(config.control);
  return (host != "localhost" && config::is_remote_endpoint(port)) ||
         config::is_remote_endpoint(control);
}

Bench::Bench(const Settings& settings) : settings_(settings) {
  result_.wish = settings.wish;
}

bool Bench::fail(std::string why) {
  why_ = std::move(why);
  return false;
}

// As the shell was given few files, not the machine: up to what may be.
void Bench::make_room_for_clients() {
  struct rlimit limit {};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = settings_.wish.clients + kOwnFiles;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, std::max<rlim_t>(wanted, 1024));
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= wanted) return;
  result_.wish.clients = limit.rlim_cur > kOwnFiles ? limit.rlim_cur - kOwnFiles : 1;
  result_.warnings.push_back("the limit of open files (ulimit -n, " +
                             std::to_string(limit.rlim_max) + ") allows " +
                             std::to_string(result_.wish.clients) + " of " +
                             std::to_string(settings_.wish.clients) + " clients");
}

std::optional<std::string> Bench::ask(const std::string& request) {
  auto answer = ask_relay(settings_.place, request, settings_.timeout);
  if (!answer) {
    why_ = answer.error().why;
  } else if (const auto fault = fault_of(answer.value(), settings_.place.endpoint)) {
    why_ = *fault;
  } else {
    return std::move(answer.value());
  }
  return std::nullopt;
}

// Two at a time would take each other's events for their own, and drop each other's channel.
bool Bench::is_alone() {
  const auto answer = ask(R"({"op":"state","channel":")" + std::string(kBenchChannel) + "\"}");
  if (!answer) return false;
  const std::string_view others = json_member(*answer, "clients");
  if (others.empty() || others == "0") return true;
  return fail("another bench is under way: " + printable(others) + " clients follow " +
              std::string(kBenchChannel));
}

// A key that goes by itself makes the channel, and opens it to clients.
bool Bench::open_channel() {
  const auto seconds = std::chrono::seconds(kChannelTime).count();
  return ask(R"({"op":"set","id":")" + random_id() + R"(","channel":")" +
             std::string(kBenchChannel) + R"(","key":"clients","value":)" +
             std::to_string(result_.wish.clients) + R"(,"ttl":)" + std::to_string(seconds) + '}')
      .has_value();
}

void Bench::drop_channel() {
  const auto answer = ask_relay(settings_.place,
                                R"({"op":"drop","id":")" + random_id() + R"(","channel":")" +
                                    std::string(kBenchChannel) + R"("})",
                                settings_.timeout);
  if (answer && json_member(answer.value(), "ok") == "true") return;
  result_.warnings.push_back("the channel " + std::string(kBenchChannel) +
                             " could not be dropped: syncrelay drop " + std::string(kBenchChannel));
}

bool Bench::connect_all(Crowd& crowd) {
  const Crowd::Counts& counts = crowd.counts();
  std::uint64_t begun = 0;
  std::size_t settled = 0;
  auto progress = SteadyClock::now();
  while (counts.here + counts.failed + counts.lost < result_.wish.clients && !Crowd::stopped()) {
    while (counts.connecting < kAtOnce && begun < result_.wish.clients) {
      crowd.connect();
      ++begun;
    }
    crowd.serve(kNap);
    if (const std::size_t now = counts.here + counts.failed; now > settled) {
      settled = now;
      progress = SteadyClock::now();
    }
    if (SteadyClock::now() - progress > settings_.timeout) break;
  }
  result_.clients = counts.here;
  if (result_.clients == result_.wish.clients || Crowd::stopped()) return result_.clients > 0;
  const std::string why = crowd.why().empty() ? "no answer in time" : printable(crowd.why());
  if (result_.clients == 0)
    return fail("no client came to follow " + std::string(kBenchChannel) + ": " + why);
  result_.warnings.push_back("only " + std::to_string(result_.clients) + " of " +
                             std::to_string(result_.wish.clients) + " clients got in: " + why);
  return true;
}

void Bench::hear(const BenchPusher& pusher, std::string_view event) {
  constexpr std::string_view kNumber = R"("data":{"n":)";
  const std::size_t at = event.find(kNumber);
  std::uint64_t n = 0;
  if (at == std::string_view::npos) return;
  const char* const begin = event.data() + at + kNumber.size();
  if (std::from_chars(begin, event.data() + event.size(), n).ec != std::errc()) return;
  const auto sent = pusher.sent_at(n);
  if (!sent) return;
  last_ = SteadyClock::now();
  delays_.add(last_ - *sent);
}

// Until all has come that is to come, or nothing does any more.
bool Bench::push(Crowd& crowd, BenchPusher& pusher) {
  const double cpu = own_cpu_seconds();
  const MachineTime machine = machine_time();
  const auto begin = last_ = SteadyClock::now();
  pusher.start();
  while (!Crowd::stopped()) {
    crowd.serve(kNap);
    if (crowd.counts().here == 0) break;
    if (!pusher.done()) continue;
    const std::uint64_t events = pusher.sent() - pusher.refused();
    if (delays_.count() >= events * result_.clients) break;
    if (SteadyClock::now() - std::max(last_, begin) > settings_.timeout) break;
  }
  pusher.give_up();
  const auto end = SteadyClock::now();
  pusher.join();
  const MachineTime now = machine_time();
  const double lasted = std::chrono::duration<double>(end - begin).count();
  result_.own_cpu = lasted > 0 ? (own_cpu_seconds() - cpu) / lasted : 0;
  result_.machine_cpu =
      now.all > machine.all ? (now.busy - machine.busy) / (now.all - machine.all) : 0;
  result_.stopped = Crowd::stopped();
  result_.took = std::max(last_ - begin, SteadyClock::duration(0));
  result_.events = pusher.sent();
  result_.refused = pusher.refused();
  result_.broken =
      !result_.stopped && (crowd.counts().here == 0 || pusher.silent() || delays_.count() == 0);
  if (!pusher.fault().empty()) result_.warnings.push_back(printable(pusher.fault()));
  return true;
}

bool Bench::run() {
  auto keys = curve_keys(settings_.place);
  if (!keys) return fail(keys.error());
  make_room_for_clients();
  if (!is_alone() || !open_channel()) return false;
  Crowd* wakes = nullptr;
  BenchPusher pusher(settings_.place, keys.value(), result_.wish, settings_.timeout,
                     [&wakes] { wakes->wake(); });
  const Crowd::Hears hears{[&](std::string_view event) { hear(pusher, event); }};
  Crowd crowd(at_channel(settings_.target), std::string(kBenchChannel), hears);
  wakes = &crowd;
  bool done = crowd.begin() || fail("libwebsockets cannot start");
  done = done && connect_all(crowd) && push(crowd, pusher);
  result_.lost = crowd.counts().lost;
  result_.skipped = crowd.counts().skipped;
  if (result_.lost > 0) result_.why_lost = printable(crowd.why());
  crowd.leave();
  drop_channel();
  result_.deliveries = delays_.count();
  const std::uint64_t all = (result_.events - result_.refused) * result_.clients;
  result_.missing = all > result_.deliveries ? all - result_.deliveries : 0;
  result_.p50 = delays_.within(0.5);
  result_.p90 = delays_.within(0.9);
  result_.p99 = delays_.within(0.99);
  result_.most = delays_.most();
  add_warnings(result_);
  if (!done && why_.empty()) why_ = "stopped before it began";
  return done;
}

}  // namespace syncrelay
