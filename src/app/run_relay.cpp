#include "run_relay.h"

#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>

#include "service_manager.h"
#include "syncrelay/app/run_invocation.h"
#include "syncrelay/app/server.h"
#include "syncrelay/base/apart.h"
#include "syncrelay/base/clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/standard_streams.h"

namespace syncrelay {
namespace {

// For standard error to take a line, on a busy machine, too. Who does not read holds up nobody for
// longer.
constexpr Duration kLinePatience = std::chrono::milliseconds(500);
constexpr int kOrphaned = -1;  // in the place of a signal

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

// Whether the process is gone that has to be there: then this one has another parent.
bool is_orphan(const Config& config) {
  return config.parent != 0 && static_cast<std::uint32_t>(getppid()) != config.parent;
}

void reload(Server& server, const ServiceManager& manager) {
  manager.tell_reloading();
  server.reload();
  manager.tell_ready();
}

// SIGHUP asks for files to be read again. 0: the server cannot go on. kOrphaned: its parent has
// ended.
int wait_for_signal_beside(Server& server, const Config& config, const ServiceManager& manager) {
  sigset_t signals = stop_signals();
  sigaddset(&signals, SIGHUP);
  constexpr timespec kSecond{1, 0};
  while (!is_orphan(config)) {
    const int number = sigtimedwait(&signals, nullptr, &kSecond);
    if (number == SIGHUP) {
      reload(server, manager);
    } else if (number > 0) {
      return number;
    } else {
      if (server.has_ended()) return 0;
      server.look_after();
    }
  }
  return kOrphaned;
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

}  // namespace

int run_relay(const Invocation& invocation) {
  sigset_t signals = stop_signals();
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  Log log({invocation.config.log_level, invocation.config.log_format});
  for (const std::string& warning : invocation.warnings) log.warning(warning);
  const ServiceManager manager;
  Server server(invocation.config, log);
  if (auto started = server.start(); !started) {
    server.stop();
    log.error("cannot start", {{"why", started.error()}});
    return kFailed;
  }
  manager.tell_ready();
  const int number = wait_for_signal_beside(server, invocation.config, manager);
  manager.tell_stopping();
  log.give_up_at(SystemClock().now() + invocation.config.drain_timeout);
  exit_at_second_signal();
  if (number == 0) {
    log.error("cannot go on: start it again, as a supervisor does",
              {{"why", server.has_ended().value_or("")}});
  } else if (number == kOrphaned) {
    log.info("stopping", {{"parent", "has ended"}});
  } else {
    log.info("stopping", {{"signal", strsignal(number)}});
  }
  server.stop();
  log.info("stopped", {{"log_lines_dropped", log.dropped()}});
  return number == 0 ? kAgain : kStopped;
}

}  // namespace syncrelay
