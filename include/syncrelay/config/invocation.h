#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "syncrelay/base/result.h"
#include "syncrelay/config/config.h"

namespace syncrelay {

// What the process was asked to do. The last three only print Invocation::text.
enum class Action : std::uint8_t {
  serve,
  healthcheck,
  state,
  set,
  merge,
  remove,
  publish,
  watch,
  clients,
  members,
  channels,
  drop,
  stats,
  disconnect,
  explain,
  refused,
  events,
  bench,
  backup,
  keygen,
  print_config,
  version,
  help
};

// A state key and what it is to be set to, as given: JSON text, or "-" for standard input.
struct KeyArgument {
  std::string key;
  std::string json;
};

// What `bench` does.
struct BenchWish {
  std::uint64_t clients = 100;
  std::uint64_t events = 1000;
  std::uint64_t size = 100;  // bytes of an event's data
  std::uint64_t rate = 100;  // events a second; 0: as fast as the relay takes them
  bool yes = false;          // also against a relay on another machine
};

// What a command that talks to a running relay takes besides the Config. All text is valid UTF-8;
// standard input is asked for once at most.
struct Request {
  std::vector<std::string> words;  // KEY, TYPE, JSON: as many as the command takes
  // Names, the empty one for the default channel; no duplicates. None: the default channel, and for
  // clients all of them. More than one only with publish and watch.
  std::vector<std::string> channels;
  std::vector<KeyArgument> set;  // publish: what changes of the state in the same step
  std::chrono::milliseconds timeout{5'000};
  std::uint64_t count = 0;                       // messages after which watch ends; 0: never
  std::optional<std::chrono::milliseconds> ttl;  // of what is set
  std::optional<std::uint64_t> if_version;       // that the key must have
  std::optional<std::uint64_t> connection;       // disconnect: instead of an identity
  std::optional<std::uint64_t> code;             // disconnect
  std::optional<std::string> reason;             // disconnect
  std::optional<std::uint64_t> max;              // refused, events: how many at most
  std::optional<std::uint64_t> after;            // events: those behind this position
  std::chrono::milliseconds wait{};              // events: for one to come, if there is none
  bool json = false;                             // also on a terminal
  bool versions = false;                         // state: print them, too
  bool tls = false;                              // watch: the client port speaks TLS
  std::string ca;                                // watch: file of who is trusted; implies tls
  std::string token;                             // watch: that it comes with; empty: none
  std::string token_file;                        // watch: where it stands, in place of `token`
  BenchWish bench;                               // bench
  bool silent = false;                           // do not tell connected clients of the change
};

// One line that names the option, where its value came from, the value, and what would be accepted.
// Printable: control characters of the input stand escaped in it.
struct UsageError {
  std::string message;
};

struct FileError {
  std::string reason;
};

using FileReader = std::function<Result<std::string, FileError>(const std::string& path)>;

// All that the configuration depends on. `environment` holds "NAME=value"; of a repeated name the
// first counts.
struct InvocationInput {
  std::vector<std::string> arguments;  // without the program's name
  std::vector<std::string> environment;
  FileReader read_file;
  uid_t user = 0;
  std::string version;
};

struct Invocation {
  Action action = Action::serve;
  Config config;    // the defaults when action is version or help
  Request request;  // of the actions that talk to a running relay
  // Nobody named the control endpoint or a runtime directory: it lies in one under /tmp, which is
  // everybody's.
  bool control_in_tmp = false;
  std::map<std::string, std::string, std::less<>>
      origins;  // option name -> "--port", "SYNCRELAY_PORT", "f.toml:3", …
  std::vector<std::string> warnings;
  std::string text;  // to print on standard output, ends with a newline
};

// Flags, then SYNCRELAY_<OPTION>, then the file, then the default. Reads nothing but its input.
// Text values are valid UTF-8 afterwards.
Result<Invocation, UsageError> parse_invocation(const InvocationInput& input);

}  // namespace syncrelay
