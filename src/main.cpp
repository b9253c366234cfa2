#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <thread>

#include "syncrelay/app/server.h"
#include "syncrelay/base/apart.h"
#include "syncrelay/base/clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/standard_streams.h"
#include "syncrelay/cli/json_printer.h"
#include "syncrelay/cli/run_request.h"
#include "syncrelay/config/invocation.h"
#include "syncrelay/config/text_file.h"
#include "syncrelay/ipc/lock_file.h"
#include "syncrelay/store/backup_file.h"
#include "syncrelay/store/data_files.h"
#include "syncrelay/store/made_backup.h"
#include "syncrelay/ws/health_probe.h"

extern char** environ;

namespace syncrelay {
namespace {

// For standard error to take a line, on a busy machine, too. Who does not read holds up nobody for
// longer.
constexpr Duration kPatience = std::chrono::milliseconds(500);

enum ExitCode : int { kStopped = 0, kFailed = 1, kBadUsage = 2 };

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

// From the first signal on: the second one ends the process where it stands.
void exit_at_second_signal() {
  std::thread([] {
    const int number = wait_for_signal();
    const std::string line = std::string("syncrelay: second signal (") + strsignal(number) +
                             "): exiting without waiting for clients\n";
    run_apart([line] { write_all(STDERR_FILENO, line); }).wait_for(kPatience);
    _exit(kFailed);
  }).detach();
}

int serve(const Invocation& invocation) {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  Log log({invocation.config.log_level, invocation.config.log_format});
  for (const std::string& warning : invocation.warnings) log.warning(warning);
  Server server(invocation.config, log);
  if (auto started = server.start(); !started) {
    server.stop();
    log.error("cannot start", {{"why", started.error()}});
    return kFailed;
  }
  const int number = wait_for_signal();
  log.give_up_at(SystemClock().now() + invocation.config.drain_timeout);
  exit_at_second_signal();
  log.info("stopping", {{"signal", strsignal(number)}});
  server.stop();
  log.info("stopped", {{"log_lines_dropped", log.dropped()}});
  return kStopped;
}

int healthcheck(const Config& config) {
  const auto well = probe_health(config.host, config.port);
  if (well) return kStopped;
  std::cerr << "syncrelay: " << well.error() << '\n';
  return kFailed;
}

bool is_same_file(const std::string& one, const std::string& other) {
  const auto first = identify(one);
  const auto second = identify(other);
  return first && second && first->same_file(*second);
}

// Whichever relay answers: where --data is given, it must be the one that keeps that directory.
Result<void, std::string> write_backup_of_relay(const Invocation& invocation,
                                                const std::string& path) {
  const Config& config = invocation.config;
  const auto answer = request_backup(invocation);
  if (!answer) return answer.error().why;
  auto made = MadeBackup::find(answer.value().path, answer.value().owner);
  if (!made) return "the relay at " + config.control + ": " + made.error();
  const std::string kept = made.value().directory();
  if (config.data.empty() || is_same_file(kept, config.data)) {
    const auto moved = made.value().move_to(path);
    if (moved) return moved;
    return moved.error() + " (what the relay made is still at " + answer.value().path + ')';
  }
  made.value().remove();
  return "the relay at " + config.control + " keeps " + kept + ", not " + config.data +
         ": give the --runtime-dir (or --control) of the one that does";
}

// The relay makes the file while it runs; without one the files of --data are nobody's, and read
// directly.
Result<void, std::string> write_backup(const Invocation& invocation, const std::string& path) {
  const std::string& data = invocation.config.data;
  if (access(path.c_str(), F_OK) == 0) return path + " is there already";
  if (!data.empty()) {
    if (auto there = find_database(data); !there) return there;
    if (const auto lock = LockFile::acquire(data + "/relay.lock"); lock)
      return back_up_directory(data, path);
  }
  return write_backup_of_relay(invocation, path);
}

int backup(const Invocation& invocation) {
  const auto written = write_backup(invocation, invocation.request.words.front());
  if (written) return kStopped;
  std::cerr << "syncrelay: " << printable(written.error()) << '\n';
  return kFailed;
}

int ask_relay(const Invocation& invocation) {
  return run_request(invocation, standard_console(invocation.request.json));
}

InvocationInput invocation_input(int argc, char** argv) {
  InvocationInput input;
  input.arguments.assign(argv + 1, argv + argc);
  for (char** entry = environ; *entry != nullptr; ++entry) input.environment.emplace_back(*entry);
  input.read_file = read_text_file;
  input.user = geteuid();
  input.version = SYNCRELAY_VERSION;
  return input;
}

int print(const std::string& text) {
  std::cout << text << std::flush;
  if (std::cout.good()) return kStopped;
  std::cerr << "syncrelay: cannot write to standard output\n";
  return kFailed;
}

// The relay's go to its log.
void tell_warnings(const Invocation& invocation) {
  if (invocation.action == Action::serve) return;
  for (const std::string& warning : invocation.warnings)
    std::cerr << "syncrelay: warning: " << warning << '\n';
}

int run(int argc, char** argv) {
  occupy_standard_streams();
  const auto invocation = parse_invocation(invocation_input(argc, argv));
  if (!invocation) {
    std::cerr << "syncrelay: " << invocation.error().message << '\n';
    return kBadUsage;
  }
  tell_warnings(invocation.value());
  switch (invocation.value().action) {
    case Action::serve:
      return serve(invocation.value());
    case Action::healthcheck:
      return healthcheck(invocation.value().config);
    case Action::backup:
      return backup(invocation.value());
    case Action::print_config:
    case Action::version:
    case Action::help:
      return print(invocation.value().text);
    default:
      return ask_relay(invocation.value());
  }
}

}  // namespace
}  // namespace syncrelay

int main(int argc, char** argv) {
  return syncrelay::run(argc, argv);
}
