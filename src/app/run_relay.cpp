#include "run_relay.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <thread>

#include "premises.h"
#include "service_manager.h"
#include "syncrelay/app/run_invocation.h"
#include "syncrelay/app/server.h"
#include "syncrelay/base/apart.h"
#include "syncrelay/base/clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/standard_streams.h"
#include "vigil.h"

namespace syncrelay {
namespace {

// For standard error to take a line, on a busy machine, too. Who does not read holds up nobody for
// longer.
constexpr Duration kLinePatience = std::chrono::milliseconds(500);

constexpr timespec kAtOnce{0, 0};
constexpr timespec kSecond{1, 0};
constexpr timespec kTenth{0, 100'000'000};  // for a cluster that begins anew

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

int wait_for_signal() {
  const sigset_t signals = stop_signals();
  int number = 0;
  while (sigwait(&signals, &number) != 0) {
  }
  return number;
}

// 0: the server cannot go on. Else as Vigil::look().
int wait_beside(const Server& server, Vigil& vigil, const timespec& pause) {
  while (true) {
    if (const int number = vigil.look(pause); number != 0) return number;
    if (server.has_ended()) return 0;
  }
}

// From the first signal on: the second one ends the process where it stands.
void exit_at_second_signal() {
  std::thread([] {
    const int number = wait_for_signal();
    const std::string line = std::string("syncrelay: second signal (") + strsignal(number) +
                             "): exiting without waiting for clients\n";
    run_apart([line] { write_all(STDERR_FILENO, line); }).wait_for(kLinePatience);
    _exit(kFailed);
  }).detach();
}

// One server's life; nullopt: another one goes on where it has ended.
std::optional<int> run_server(Premises& premises, const ServiceManager& manager, Log& log) {
  Server server(premises);
  Vigil vigil(premises, manager);
  const auto started = server.start([&vigil] { return vigil.look(kAtOnce) != 0; });
  if (!started) {
    server.stop();
    log.error("cannot start", {{"why", started.error()}});
    return kFailed;
  }
  const bool ready = started.value() == Server::Started::ready;
  if (ready) manager.tell_ready();
  const int number =
      ready ? wait_beside(server, vigil, premises.config.cluster.empty() ? kSecond : kTenth)
            : vigil.look(kAtOnce);
  const auto ending = number == 0 ? server.has_ended() : std::nullopt;
  if (ending && ending->begins_anew) {
    log.warning("the cluster began anew: clients are closed, and get a snapshot when they are back",
                {{"why", ending->why}});
    server.make_way();
    return std::nullopt;
  }
  manager.tell_stopping();
  log.give_up_at(premises.clock.now() + premises.config.drain_timeout);
  exit_at_second_signal();
  if (ending) {
    log.error("cannot go on", {{"why", ending->why}});
  } else if (number == Vigil::kOrphaned) {
    log.info("stopping", {{"parent", "has ended"}});
  } else {
    log.info("stopping", {{"signal", strsignal(number)}});
  }
  server.stop();
  log.info("stopped", {{"log_lines_dropped", log.dropped()}});
  return ending ? kFailed : kStopped;
}

LogFormat format_of(LogFormatWish wish) {
  switch (wish) {
    case LogFormatWish::text:
      return LogFormat::text;
    case LogFormatWish::json:
      return LogFormat::json;
    case LogFormatWish::journal:
      return LogFormat::journal;
    case LogFormatWish::automatic:
      break;
  }
  const bool journal = is_journal(STDERR_FILENO, std::getenv("JOURNAL_STREAM"));
  return journal ? LogFormat::journal : LogFormat::text;
}

}  // namespace

int run_relay(const Invocation& invocation) {
  sigset_t signals = stop_signals();
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  Log log({invocation.config.log_level, format_of(invocation.config.log_format)});
  for (const std::string& warning : invocation.warnings) log.warning(warning);
  Premises premises(invocation.config, log);
  if (auto opened = premises.open(); !opened) {
    log.error("cannot start", {{"why", opened.error()}});
    return kFailed;
  }
  const ServiceManager manager;
  std::optional<int> code;
  while (!code) code = run_server(premises, manager, log);
  return *code;
}

}  // namespace syncrelay
