// The benchmark's yardstick as a process: see LimitServer. Prints a ready line as the relay does.

#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <map>

#include "limit_server.h"

int main(int argc, char** argv) {
  using namespace syncrelay::bench;
  const std::map<std::string, SendMode> modes{{"per-event", SendMode::per_event},
                                              {"coalescing", SendMode::coalescing}};
  LimitOptions options;
  CLI::App app("Yardstick of the benchmark");
  app.add_option("--mode", options.mode)->transform(CLI::CheckedTransformer(modes));
  app.add_option("--port", options.port, "on 127.0.0.1; 0 picks a free one");
  app.add_option("--commands", options.commands, "ZeroMQ endpoint")->required();
  app.add_option("--send-buffer", options.send_buffer, "SO_SNDBUF of a client, bytes");
  app.add_option("--log-bytes", options.log_bytes, "ring of recent events")
      ->transform(CLI::AsSizeValue(false));
  CLI11_PARSE(app, argc, argv);
  try {
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
    LimitServer server(options);
    std::printf("{\"ready\":true,\"port\":%u,\"commands\":[\"%s\"],\"pid\":%d}\n", server.port(),
                options.commands.c_str(), ::getpid());
    std::fflush(stdout);
    server.run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_limit: %s\n", error.what());
    return 1;
  }
}
