#include <unistd.h>

#include <iostream>

#include "syncrelay/app/run_invocation.h"
#include "syncrelay/base/standard_streams.h"
#include "syncrelay/config/invocation.h"
#include "syncrelay/config/text_file.h"

extern char** environ;

namespace syncrelay {
namespace {

InvocationInput invocation_input(int argc, char** argv) {
  InvocationInput input;
  input.arguments.assign(argv + 1, argv + argc);
  for (char** entry = environ; *entry != nullptr; ++entry) input.environment.emplace_back(*entry);
  input.read_file = read_text_file;
  input.user = geteuid();
  input.version = SYNCRELAY_VERSION;
  return input;
}

int run(int argc, char** argv) {
  occupy_standard_streams();
  const auto invocation = parse_invocation(invocation_input(argc, argv));
  if (invocation) return run_invocation(invocation.value());
  std::cerr << "syncrelay: " << invocation.error().message << '\n';
  return kBadUsage;
}

}  // namespace
}  // namespace syncrelay

int main(int argc, char** argv) {
  return syncrelay::run(argc, argv);
}
