#include "syncrelay/config/print_config.h"

#include <doctest/doctest.h>

#include "invocation_fixture.h"

namespace syncrelay {
namespace {

// What --print-config says for the input, read again as a configuration file.
Invocation read_back(InvocationInput input) {
  input.arguments.emplace_back("--print-config");
  const auto printed = parse_invocation(input);
  REQUIRE(printed.ok());
  const auto again = parse_invocation(make_file_input(printed.value().text));
  REQUIRE_MESSAGE(again.ok(), printed.value().text);
  CHECK(again.value().config == printed.value().config);
  return again.value();
}

TEST_CASE("The printed defaults are a configuration file with the same values") {
  CHECK(read_back(make_input({})).origins.at("port") != "default");
}

TEST_CASE("Printed values of every kind survive being read again") {
  const Words arguments = {
      "--host=::1",           "--port=0",          "--admin=[::1]:0",         "--allow-origin=*",
      "--commands=ipc:///a",  "--ipc-mode=7",      "--ipc-group=relay",       "--log-level=debug",
      "--log-format=json",    "--log-bytes=65537", "--stall-timeout=1501ms",  "--drain-timeout=1h",
      "--shards=64",          "--max-state=1GiB",  "--allow-remote-commands", "--open-channels=a/*",
      "--max-subscriptions=9"};
  const Config config = read_back(make_input(arguments)).config;
  CHECK(config.ipc_mode == 7);
  CHECK(config.admin == HostPort{"::1", 0});
}

TEST_CASE("Printed text survives with quotes, backslashes, line ends and characters beyond ASCII") {
  const std::string key = "\"a\\b'\n\t\x01\x7f # \xc3\xa9\xf0\x9f\x8e\xb5";
  CHECK(read_back(make_input({"--state-key", key})).config.state_key == Words{key});
}

TEST_CASE("Each printed value tells where it comes from") {
  const auto result =
      parse_invocation(make_input({"--print-config", "--port=1", "--config", "a\nb.toml"},
                                  {"SYNCRELAY_SHARDS=2"}, {{"a\nb.toml", "max-clients = 3"}}));
  REQUIRE(result.ok());
  const std::string& text = result.value().text;
  CHECK(result.value().action == Action::print_config);
  CHECK(text.find("\nport = 1  # --port\n") != std::string::npos);
  CHECK(text.find("\nshards = 2  # SYNCRELAY_SHARDS\n") != std::string::npos);
  CHECK(text.find("\nmax-clients = 3  # a\\u000ab.toml:1\n") != std::string::npos);
  CHECK(text.find("\nlog-bytes = \"16MiB\"  # default\n") != std::string::npos);
}

TEST_CASE("A configuration that would not serve is not printed") {
  CHECK_FALSE(error_of(make_input({"--print-config", "--port=x"})).empty());
}

}  // namespace
}  // namespace syncrelay
