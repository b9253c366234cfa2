#include "syncrelay/app/run_invocation.h"

#include <csignal>
#include <iostream>
#include <string>

#include "run_relay.h"
#include "syncrelay/cli/json_printer.h"
#include "syncrelay/cli/keygen.h"
#include "syncrelay/cli/run_request.h"
#include "syncrelay/ws/health_probe.h"
#include "write_backup.h"

namespace syncrelay {
namespace {

int healthcheck(const Config& config) {
  std::signal(SIGPIPE, SIG_IGN);  // of a relay that hangs up in the middle of a TLS handshake
  const auto well = probe_health(config.host, config.port, !config.tls_cert.empty());
  if (well) return kStopped;
  std::cerr << "syncrelay: " << well.error() << '\n';
  return kFailed;
}

int backup(const Invocation& invocation) {
  const auto written = write_backup(invocation, invocation.request.words.front());
  if (written) return kStopped;
  std::cerr << "syncrelay: " << printable(written.error()) << '\n';
  return kFailed;
}

int print(const std::string& text) {
  std::cout << text << std::flush;
  if (std::cout.good()) return kStopped;
  std::cerr << "syncrelay: cannot write to standard output\n";
  return kFailed;
}

int keygen(const Invocation& invocation) {
  const auto made = make_key_pair(invocation.request.words.front());
  if (made) return print(made.value().public_key + '\n');
  std::cerr << "syncrelay: " << printable(made.error()) << '\n';
  return kFailed;
}

// The relay's go to its log.
void tell_warnings(const Invocation& invocation) {
  if (invocation.action == Action::serve) return;
  for (const std::string& warning : invocation.warnings)
    std::cerr << "syncrelay: warning: " << warning << '\n';
}

}  // namespace

int run_invocation(const Invocation& invocation) {
  tell_warnings(invocation);
  switch (invocation.action) {
    case Action::serve:
      return run_relay(invocation);
    case Action::healthcheck:
      return healthcheck(invocation.config);
    case Action::backup:
      return backup(invocation);
    case Action::keygen:
      return keygen(invocation);
    case Action::print_config:
    case Action::version:
    case Action::help:
      return print(invocation.text);
    default:
      return run_request(invocation, standard_console(invocation.request.json));
  }
}

}  // namespace syncrelay
