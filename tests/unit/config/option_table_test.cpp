#include <doctest/doctest.h>

#include <set>

#include "invocation_fixture.h"
#include "syncrelay/config/option.h"

namespace syncrelay {
namespace {

using config::environment_name;
using config::make_option_table;
using config::Option;

// A value that is not the default, one for each option.
const std::map<std::string, std::string> kSamples = {
    {"host", "127.0.0.1"},
    {"port", "1"},
    {"admin", "127.0.0.1:1"},
    {"tls-cert", "/etc/relay/cert.pem"},
    {"tls-key", "/etc/relay/key.pem"},
    {"admin-tls", "true"},
    {"admin-token", "/run/admin.token"},
    {"allow-origin", "https://example.org"},
    {"trusted-proxy", "10.0.0.0/8"},
    {"page", "off"},
    {"allow-host", "relay.example.org"},
    {"runtime-dir", "/run/other"},
    {"commands", "ipc:///run/other.sock"},
    {"control", "ipc:///run/other.sock"},
    {"allow-remote-commands", "true"},
    {"curve-key", "/etc/relay/key"},
    {"curve-clients", "/etc/relay/clients"},
    {"curve-server-key", "/etc/relay/key.pub"},
    {"ipc-mode", "0600"},
    {"ipc-group", "relay"},
    {"max-command", "1MiB"},
    {"trace", "true"},
    {"state-key", "devices"},
    {"max-state", "1MiB"},
    {"max-state-keys", "10"},
    {"log-bytes", "1MiB"},
    {"log-events", "10"},
    {"open-channels", "room:*"},
    {"max-channels", "10"},
    {"max-subscriptions", "10"},
    {"token-key", "/etc/relay/key"},
    {"token-jwks", "/etc/relay/jwks.json"},
    {"token-optional", "true"},
    {"token-issuer", "https://issuer.example"},
    {"token-audience", "relay"},
    {"token-cookie", "session"},
    {"token-in-url", "true"},
    {"anonymous-identity", "true"},
    {"presence", "room:*"},
    {"presence-grace", "1s"},
    {"presence-grace-closed", "1s"},
    {"max-members", "10"},
    {"hello-type", "device:register"},
    {"members-key", "members"},
    {"members-event", "devices:updated"},
    {"client-publish", "doc:*"},
    {"client-rate", "10"},
    {"client-burst", "10"},
    {"inbox-messages", "10"},
    {"inbox-bytes", "1MiB"},
    {"data", "/var/lib/relay"},
    {"durability", "power"},
    {"dedup-ids", "10"},
    {"dedup-window", "1s"},
    {"cluster", "redis://127.0.0.1"},
    {"cluster-timeout", "1s"},
    {"shards", "2"},
    {"max-clients", "10"},
    {"max-clients-per-address", "10"},
    {"connect-rate", "10"},
    {"max-client-message", "1KiB"},
    {"send-buffer", "64KiB"},
    {"compression", "off"},
    {"ping-interval", "1s"},
    {"ping-timeout", "1s"},
    {"json-ping-interval", "1s"},
    {"stall-timeout", "1s"},
    {"handshake-timeout", "1s"},
    {"drain-timeout", "1s"},
    {"log-level", "debug"},
    {"log-format", "json"},
    {"parent", "17"},
};

// Just outside of what each ranged option takes, below and above.
struct Outside {
  std::string option;
  std::string below;
  std::string above;
};

const std::vector<Outside> kOutside = {
    {"port", "-1", "65536"},
    {"ipc-mode", "-1", "1000"},
    {"max-command", "0", "1073741825"},
    {"max-state", "0", "1025GiB"},
    {"max-state-keys", "0", "100000001"},
    {"log-bytes", "65535", "1025GiB"},
    {"log-events", "1", "1000000001"},
    {"max-channels", "0", "10000001"},
    {"max-subscriptions", "0", "10001"},
    {"presence-grace", "-1", "25h"},
    {"presence-grace-closed", "-1", "25h"},
    {"max-members", "0", "10000001"},
    {"client-rate", "-1", "1000001"},
    {"client-burst", "0", "1000001"},
    {"inbox-messages", "0", "10000001"},
    {"inbox-bytes", "65535", "65GiB"},
    {"durability", "none", "powerful"},
    {"dedup-ids", "0", "100000001"},
    {"dedup-window", "0", "169h"},
    {"shards", "-1", "65"},
    {"max-clients", "0", "10000001"},
    {"max-clients-per-address", "-1", "10000001"},
    {"connect-rate", "-1", "1000001"},
    {"max-client-message", "0", "1073741825"},
    {"send-buffer", "4095", "65MiB"},
    {"compression", "of", "on "},
    {"ping-interval", "9ms", "25h"},
    {"ping-timeout", "9ms", "25h"},
    {"json-ping-interval", "-1", "25h"},
    {"stall-timeout", "9ms", "25h"},
    {"handshake-timeout", "9ms", "61m"},
    {"drain-timeout", "-1", "61m"},
    {"parent", "-1", "4194305"},
};

// The help without its line breaks and padding, which are CLI11's affair.
std::string without_spaces(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

Config config_of(const InvocationInput& input) {
  const auto result = parse_invocation(input);
  REQUIRE_MESSAGE(result.ok(), error_of(input));
  return result.value().config;
}

// By a command that needs no others beside it.
TEST_CASE("Every option can be set by flag, by environment and by file, to the same effect") {
  const std::string command = "healthcheck";
  const Config defaults = config_of(make_input({command}));
  const std::vector<Option> table = make_option_table();
  REQUIRE(table.size() == kSamples.size());
  for (const Option& option : table) {
    CAPTURE(option.name);
    const std::string& value = kSamples.at(option.name);
    const Config by_flag = config_of(make_input({command, "--" + option.name + '=' + value}));
    CHECK(by_flag != defaults);
    CHECK(config_of(make_input({command}, {environment_name(option.name) + '=' + value})) ==
          by_flag);
    InvocationInput by_file = make_file_input(option.name + " = \"" + value + '"');
    by_file.arguments.push_back(command);
    CHECK(config_of(by_file) == by_flag);
  }
}

TEST_CASE("Every ranged option refuses what lies just outside of its range") {
  for (const Outside& outside : kOutside) {
    CAPTURE(outside.option);
    const std::string flag = "--" + outside.option + '=';
    const std::string beginning = outside.option + " (from --" + outside.option + "): ";
    CHECK(error_of(make_input({flag + outside.below})).starts_with(beginning));
    CHECK(error_of(make_input({flag + outside.above})).starts_with(beginning));
  }
}

TEST_CASE("Every option stands in the help with its default") {
  const auto result = parse_invocation(make_input({"--help"}));
  REQUIRE(result.ok());
  const std::string help = without_spaces(result.value().text);
  for (const Option& option : make_option_table()) {
    CAPTURE(option.name);
    CHECK(help.find("--" + option.name + option.placeholder) != std::string::npos);
    CHECK(help.find(without_spaces(option.default_text)) != std::string::npos);
  }
}

TEST_CASE("Option names are lower case words with dashes, and no two are equal") {
  std::set<std::string> names;
  for (const Option& option : make_option_table()) {
    CHECK(names.insert(option.name).second);
    CHECK(option.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string::npos);
  }
}

TEST_CASE("An option's variable is its name in capitals with underscores") {
  CHECK(environment_name("max-clients-per-address") == "SYNCRELAY_MAX_CLIENTS_PER_ADDRESS");
}

TEST_CASE("The mode is octal with or without a leading zero, also as a TOML integer") {
  for (const char* text : {"ipc-mode = \"0660\"", "ipc-mode = 660", "ipc-mode = 0o660"}) {
    CHECK(config_of(make_file_input(text)).ipc_mode == 0660);
  }
}

TEST_CASE("The data directory is off when it is empty, and no path with control characters") {
  const Words environment = {"SYNCRELAY_DATA=/var/lib/relay"};
  CHECK(config_of(make_input({}, environment)).data == "/var/lib/relay");
  CHECK(config_of(make_input({"--data="}, environment)).data.empty());
  CHECK_FALSE(error_of(make_input({"--data", "a\nb"})).empty());
}

TEST_CASE("A state key has 1 to 256 bytes") {
  CHECK(error_of(make_input({"--state-key", std::string(256, 'k')})).empty());
  CHECK_FALSE(error_of(make_input({"--state-key", std::string(257, 'k')})).empty());
  CHECK_FALSE(error_of(make_input({"--state-key", ""})).empty());
}

TEST_CASE("Nothing but the default channel is open until a pattern says so") {
  CHECK(config_of(make_input({})).open_channels.empty());
  const Words patterns = {"room:*", "news", "*"};
  const Words flags = {"--open-channels=room:*", "--open-channels", "news", "--open-channels=*"};
  CHECK(config_of(make_input(flags)).open_channels == patterns);
  CHECK(config_of(make_input({}, {"SYNCRELAY_OPEN_CHANNELS=room:*,news,*"})).open_channels ==
        patterns);
  CHECK(config_of(make_file_input("open-channels = [\"room:*\", 'news', \"*\"]")).open_channels ==
        patterns);
}

TEST_CASE("A pattern of channels is a name, or its beginning with one asterisk behind it") {
  CHECK(error_of(make_input({"--open-channels", std::string(128, 'c') + '*'})).empty());
  for (const std::string& bad :
       Words{"a b", "*a", "a**", "a*b", "\xc3\xa9", std::string(129, 'c')}) {
    CHECK(error_of(make_input({"--open-channels", bad})) ==
          "open-channels (from --open-channels): \"" + bad +
              "\" is neither the name of a channel (1 to 128 of A-Z a-z 0-9 _ . : ~ - @ /) nor the "
              "beginning of names with one * behind it");
  }
}

TEST_CASE("A pattern that would open personal channels opens nothing, which is worth a warning") {
  const auto result =
      parse_invocation(make_input({"--open-channels=room:*", "--open-channels=@*"}));
  REQUIRE(result.ok());
  CHECK(result.value().warnings ==
        Words{"open-channels (from --open-channels): \"@*\" opens nothing: no client follows a "
              "channel whose name begins with @"});
}

TEST_CASE("An empty admin address in a place that counts more turns the listener off") {
  const Words environment = {"SYNCRELAY_ADMIN=127.0.0.1:1"};
  CHECK(config_of(make_input({}, environment)).admin == HostPort{"127.0.0.1", 1});
  CHECK_FALSE(config_of(make_input({"--admin="}, environment)).admin);
}

}  // namespace
}  // namespace syncrelay
