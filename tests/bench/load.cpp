// The benchmark's load client: opens WebSocket clients, has events published, and prints one line
// of JSON with what it measured. tests/bench/bench.py runs it against each server.

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <functional>
#include <map>

#include "scenarios.h"

namespace {

using namespace syncrelay::bench;

// Other files than the clients' sockets: standard streams, epoll, ZeroMQ's.
constexpr rlim_t kOtherFiles = 64;

void raise_file_limit(std::size_t clients) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (clients + kOtherFiles > files.rlim_max) {
    throw std::runtime_error("--clients " + std::to_string(clients) +
                             ": the limit on open files is " + std::to_string(files.rlim_max));
  }
}

void print(const Figures& figures) {
  const char* separator = "{";
  for (const auto& [name, value] : figures) {
    std::printf("%s\"%s\":%.6g", separator, name.c_str(), value);
    separator = ",";
  }
  std::puts("}");
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, std::function<Figures(const Load&)>> scenarios{
      {"burst", run_burst},
      {"paced", run_paced},
      {"accept", run_accept},
      {"channels", run_channels},
      {"confirmed", run_confirmed}};
  Load load;
  std::string scenario;
  CLI::App app("Load client of the benchmark");
  app.add_option("scenario", scenario)->required()->check(CLI::IsMember(scenarios));
  app.add_option("--port", load.port, "the server's, on 127.0.0.1")->required();
  app.add_option("--server-pid", load.server, "repeatable")->required();
  app.add_option("--publish", load.publish, "zmq:ENDPOINT or http:PORT");
  app.add_option("--control", load.control, "ZeroMQ endpoint of a control socket (confirmed)");
  app.add_option("--greetings", load.greetings, "messages a new client gets by itself");
  app.add_option("--clients", load.clients);
  app.add_flag("--tls", load.tls, "clients speak TLS, and believe any certificate");
  app.add_option("--events", load.events);
  app.add_option("--bytes", load.bytes, "of each event's data");
  app.add_flag("--typical", load.typical, "that data is JSON as backends say it");
  app.add_flag("--deflate", load.deflate, "clients offer permessage-deflate");
  app.add_option("--repeat", load.repeat, "bursts")->check(CLI::PositiveNumber);
  app.add_option("--rate", load.rate, "events per second (paced)")->check(CLI::PositiveNumber);
  app.add_option("--channels", load.channels, "how many there are (channels)");
  app.add_option("--follows", load.follows, "channels that each client follows (channels)");
  app.add_option("--list", load.list, "channels that each command goes to (channels)");
  CLI11_PARSE(app, argc, argv);
  try {
    raise_file_limit(load.clients);
    print(scenarios.at(scenario)(load));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_load: %s\n", error.what());
    return 1;
  }
  return 0;
}
