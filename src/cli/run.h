#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "relay_place.h"
#include "syncrelay/cli/console.h"
#include "syncrelay/config/invocation.h"
#include "syncrelay/tls/tls_trust.h"

namespace syncrelay {

enum ExitCode : int { kDone = 0, kFailed = 1, kBadInput = 2 };

// One invocation on its way. Each verb returns the exit code; what is wrong is told. What only asks
// is in run_queries.cpp, all else in run_request.cpp.
class Run {
 public:
  Run(const Invocation& invocation, const Console& console)
      : config_(invocation.config),
        place_(relay_place(invocation)),
        request_(invocation.request),
        console_(console) {}

  int state();
  int change(const std::string& op, const std::string& done);
  int remove();
  int publish();
  int watch();
  int clients();
  int members();
  int channels();
  int drop();
  int disconnect();
  int explain();
  int refused();
  int events();
  int bench();
  int stats();

 private:
  std::optional<std::string> json_of(const std::string& argument, const std::string& name);
  std::optional<std::string> read_input();
  std::optional<std::string> ask(const std::string& request);
  std::string begin_command(const std::string& op) const;
  std::string condition_on(const std::string& key) const;
  int confirm(const std::string& command, const std::string& done);
  std::string channel() const;
  std::string named_channel() const;
  std::optional<std::optional<TlsTrust>> trust();
  std::string most() const;
  int list(const std::vector<std::string>& channels);
  int print(std::string_view json);
  int write(std::string_view text);
  int fail(ExitCode code, const std::string& why);
  void tell(const std::string& what);

  const Config& config_;
  const RelayPlace place_;
  const Request& request_;
  const Console& console_;
};

}  // namespace syncrelay
