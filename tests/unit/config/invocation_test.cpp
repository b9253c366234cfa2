#include "syncrelay/config/invocation.h"

#include <doctest/doctest.h>

#include <chrono>

#include "invocation_fixture.h"

namespace syncrelay {
namespace {

using namespace std::chrono_literals;

TEST_CASE("Without arguments the relay serves with the defaults") {
  const auto result = parse_invocation(make_input({}));
  REQUIRE(result.ok());
  Config expected;
  expected.runtime_dir = "/tmp/syncrelay-1000";
  expected.commands = {"ipc:///tmp/syncrelay-1000/commands.sock"};
  expected.control = "ipc:///tmp/syncrelay-1000/control.sock";
  CHECK(result.value().action == Action::serve);
  CHECK(result.value().config == expected);
  CHECK(result.value().origins.at("port") == "default");
  CHECK(result.value().warnings.empty());
  CHECK(result.value().text.empty());
}

TEST_CASE("A flag counts before the environment, the environment before the file") {
  const std::map<std::string, std::string> files = {
      {"relay.toml", "port = 3\nmax-clients = 3\nshards = 3\n"}};
  const auto result = parse_invocation(
      make_input({"--port", "1", "--config", "relay.toml"},
                 {"SYNCRELAY_PORT=2", "SYNCRELAY_MAX_CLIENTS=2", "HOME=/"}, files));
  REQUIRE(result.ok());
  const Invocation& invocation = result.value();
  CHECK(invocation.config.port == 1);
  CHECK(invocation.config.max_clients == 2);
  CHECK(invocation.config.shards == 3);
  CHECK(invocation.origins.at("port") == "--port");
  CHECK(invocation.origins.at("max-clients") == "SYNCRELAY_MAX_CLIENTS");
  CHECK(invocation.origins.at("shards") == "relay.toml:3");
  CHECK(invocation.origins.at("host") == "default");
}

TEST_CASE("A list replaces the one below it instead of adding to it") {
  const std::map<std::string, std::string> files = {{"relay.toml", "state-key = ['c', \"d\"]"}};
  const Words config = {"SYNCRELAY_CONFIG=relay.toml"};
  const auto from_file = parse_invocation(make_input({}, config, files));
  REQUIRE(from_file.ok());
  CHECK(from_file.value().config.state_key == Words{"c", "d"});
  const auto from_flags =
      parse_invocation(make_input({"--state-key", "a", "--state-key=b"}, config, files));
  REQUIRE(from_flags.ok());
  CHECK(from_flags.value().config.state_key == Words{"a", "b"});
}

TEST_CASE("A list keeps one of equal values") {
  const auto result = parse_invocation(make_input({}, {"SYNCRELAY_STATE_KEY=a, b,a"}));
  REQUIRE(result.ok());
  CHECK(result.value().config.state_key == Words{"a", "b"});
}

TEST_CASE("An empty list in the file means no values") {
  const auto result = parse_invocation(make_file_input("state-key = []"));
  REQUIRE(result.ok());
  CHECK(result.value().config.state_key.empty());
  CHECK(error_of(make_file_input("commands = []")) ==
        "commands (from relay.toml:1): at least one endpoint is needed");
}

TEST_CASE("An option that is no list takes the last of several flags") {
  const auto result = parse_invocation(make_input({"--port=1", "--port", "2"}));
  REQUIRE(result.ok());
  CHECK(result.value().config.port == 2);
}

TEST_CASE("An empty variable counts as unset") {
  const auto result =
      parse_invocation(make_input({}, {"SYNCRELAY_PORT=", "SYNCRELAY_CONFIG=", "SYNCRELAY_X="}));
  REQUIRE(result.ok());
  CHECK(result.value().config.port == 8642);
}

TEST_CASE("An unknown variable is a warning that names it and the nearest known one") {
  const auto result = parse_invocation(make_input({}, {"SYNCRELAY_PROT=1", "OTHER_PORT=1"}));
  REQUIRE(result.ok());
  REQUIRE(result.value().warnings.size() == 1);
  CHECK(result.value().warnings.front() ==
        "unknown environment variable SYNCRELAY_PROT is ignored; the nearest known is "
        "SYNCRELAY_PORT");
}

TEST_CASE("An unknown option or key is an error that names it and the nearest known one") {
  CHECK(error_of(make_input({"--prot", "1"})) ==
        "unknown option --prot; the nearest known is --port");
  CHECK(error_of(make_input({"--log_bytes=1"})) ==
        "unknown option --log_bytes; the nearest known is --log-bytes");
  CHECK(error_of(make_file_input("# comment\n\nlog_bytes = 1\n")) ==
        "relay.toml:3: unknown key \"log_bytes\"; the nearest known is log-bytes");
}

TEST_CASE("An unknown command is an error that names the nearest one") {
  CHECK(error_of(make_input({"healthchek"})) ==
        "unexpected argument \"healthchek\"; the nearest command is healthcheck");
  CHECK(error_of(make_input({"serve", "healthcheck"})) ==
        "one command at a time: healthcheck is one too many");
}

TEST_CASE("A refused value is told with its option, origin and what would be accepted") {
  const std::string reason = "\"65536\" is not a whole number from 0 to 65535";
  CHECK(error_of(make_input({"--port", "65536"})) == "port (from --port): " + reason);
  CHECK(error_of(make_input({}, {"SYNCRELAY_PORT=65536"})) ==
        "port (from SYNCRELAY_PORT): " + reason);
  CHECK(error_of(make_file_input("\nport = 65_536")) == "port (from relay.toml:2): " + reason);
}

TEST_CASE("A refused value of a layer that does not count is no error") {
  CHECK(error_of(make_input({"--port", "1"}, {"SYNCRELAY_PORT=x"})).empty());
}

TEST_CASE("A flag without its value is an error") {
  CHECK(error_of(make_input({"--port"})) == "--port needs a value");
  CHECK(error_of(make_input({"--port", "1", "--host"})) == "--host needs a value");
  CHECK(error_of(make_input({"--host", "--", "x"})) == "--host needs a value");
}

TEST_CASE("An empty value after the equals sign does not swallow the next argument") {
  const auto result = parse_invocation(make_input({"--ipc-group=", "--port", "7"}));
  REQUIRE(result.ok());
  CHECK(result.value().config.ipc_group.empty());
  CHECK(result.value().config.port == 7);
}

TEST_CASE("A value may begin with a dash or with brackets") {
  const auto result = parse_invocation(make_input({"--state-key", "-a", "--state-key", "[b,c]"}));
  REQUIRE(result.ok());
  CHECK(result.value().config.state_key == Words{"-a", "[b,c]"});
}

TEST_CASE("A flag option can be taken back by a place that counts more") {
  const Words environment = {"SYNCRELAY_ALLOW_REMOTE_COMMANDS=yes"};
  const auto given = parse_invocation(make_input({}, environment));
  const auto taken = parse_invocation(make_input({"--allow-remote-commands=false"}, environment));
  REQUIRE(given.ok());
  REQUIRE(taken.ok());
  CHECK(given.value().config.allow_remote_commands);
  CHECK_FALSE(taken.value().config.allow_remote_commands);
}

TEST_CASE("Options stand before or after the command") {
  for (const Words& arguments :
       {Words{"healthcheck", "--port", "9"}, Words{"--port", "9", "healthcheck"}}) {
    const auto result = parse_invocation(make_input(arguments));
    REQUIRE(result.ok());
    CHECK(result.value().action == Action::healthcheck);
    CHECK(result.value().config.port == 9);
  }
}

TEST_CASE("Help and version need no valid configuration") {
  const Words broken = {"SYNCRELAY_PORT=x"};
  const auto help = parse_invocation(make_input({"serve", "--help"}, broken));
  REQUIRE(help.ok());
  CHECK(help.value().action == Action::help);
  CHECK(help.value().text.find("--log-bytes SIZE") != std::string::npos);
  const auto version = parse_invocation(make_input({"--version"}, broken));
  REQUIRE(version.ok());
  CHECK(version.value().text == "syncrelay 1.2.3\n");
}

TEST_CASE("A file that cannot be read is an error that says why") {
  CHECK(error_of(make_input({"--config", "none.toml"})) ==
        "config (from --config): \"none.toml\" cannot be read: No such file or directory");
}

TEST_CASE("A file that is not TOML is an error with its line") {
  CHECK(error_of(make_file_input("port = 1\nhost = x\n")) ==
        "relay.toml:2: \"x\" is neither a whole number nor true or false; text needs quotes");
}

TEST_CASE("A value of the wrong form in the file is an error") {
  CHECK(error_of(make_file_input("host = 5")) ==
        "relay.toml:1: host takes text, which needs quotes");
  CHECK(error_of(make_file_input("port = [5]")) ==
        "relay.toml:1: port takes one value, not a list");
}

TEST_CASE("Commands from other hosts need an explicit permission") {
  const Words arguments = {"--commands", "tcp://0.0.0.0:5555"};
  CHECK(error_of(make_input(arguments)).find("--allow-remote-commands") != std::string::npos);
  CHECK(error_of(make_input(arguments, {"SYNCRELAY_ALLOW_REMOTE_COMMANDS=1"})).empty());
  CHECK(error_of(make_input({"--commands", "tcp://127.0.0.1:5555"})).empty());
}

TEST_CASE("Keys stand in the place of that permission, and come in pairs") {
  const Words remote = {"--commands=tcp://0.0.0.0:5555", "--control=tcp://0.0.0.0:5556"};
  const auto with = [&](Words more) {
    more.insert(more.begin(), remote.begin(), remote.end());
    return error_of(make_input(more));
  };
  CHECK(with({"--curve-key=key", "--curve-clients=clients"}).empty());
  CHECK(with({"--curve-key=key"}) == "curve-key (from --curve-key): needs --curve-clients");
  CHECK(with({"--curve-clients=clients"}).find("--allow-remote-commands") != std::string::npos);
  CHECK(error_of(make_input({"--curve-clients=clients"})) ==
        "curve-clients (from --curve-clients): needs --curve-key");
}

TEST_CASE("Who asks over the network by keys needs the relay's and its own") {
  const Words ask = {"state", "--control=tcp://192.0.2.1:5556"};
  const auto with = [&](Words more) {
    more.insert(more.begin(), ask.begin(), ask.end());
    return error_of(make_input(more));
  };
  CHECK(with({}).empty());
  CHECK(with({"--curve-key=key", "--curve-server-key=relay.pub"}).empty());
  CHECK(with({"--curve-key=key"}) == "curve-key (from --curve-key): needs --curve-server-key");
  CHECK(with({"--curve-server-key=relay.pub"}) ==
        "curve-server-key (from --curve-server-key): needs --curve-key");
  CHECK(error_of(make_input({"state", "--curve-key=key"})).empty());  // on this machine: none
}

TEST_CASE("A control socket that other hosts reach needs the same permission") {
  const Words arguments = {"--control", "tcp://0.0.0.0:5556"};
  CHECK(error_of(make_input(arguments)).starts_with("control (from --control): "));
  CHECK(error_of(make_input(arguments)).find("--allow-remote-commands") != std::string::npos);
  CHECK(error_of(make_input(arguments, {"SYNCRELAY_ALLOW_REMOTE_COMMANDS=1"})).empty());
  CHECK(error_of(make_input({"--control", "tcp://127.0.0.1:5556"})).empty());
}

TEST_CASE("Asking a relay on another host needs no permission") {
  CHECK(error_of(make_input({"state", "--control", "tcp://10.0.0.7:5556"})).empty());
  CHECK(error_of(make_input({"stats", "--commands", "tcp://10.0.0.7:5555"})).empty());
  CHECK_FALSE(error_of(make_input({"healthcheck", "--control", "tcp://10.0.0.7:5556"})).empty());
}

TEST_CASE(
    "What says more about tokens needs a key, and a certificate for the admin listener that one") {
  for (const char* const option : {"--token-issuer=me", "--token-audience=me", "--token-cookie=me",
                                   "--token-in-url", "--token-optional"}) {
    CHECK(error_of(make_input({option})).find("needs --token-key or --token-jwks") !=
          std::string::npos);
    CHECK(error_of(make_input({option, "--token-key=key"})).empty());
    CHECK(error_of(make_input({option, "--token-jwks=set"})).empty());
    CHECK(error_of(make_input({"state", option})).empty());
  }
  CHECK(error_of(make_input({"--admin-tls", "--tls-cert=c", "--tls-key=k"})) ==
        "admin-tls (from --admin-tls): needs --admin");
}

TEST_CASE("What can be there once only is refused when it comes twice with different values") {
  CHECK(error_of(make_input({"--control=ipc:///a", "--control=ipc:///b"})) ==
        "--control is given twice, and only one can count");
  CHECK(error_of(make_input({"--control=ipc:///a", "--control=ipc:///a"})).empty());
  CHECK(error_of(make_input({"--token-key=a", "--token-key", "b"})).starts_with("--token-key is"));
  CHECK(error_of(make_input({"--cluster=redis://:secret@a", "--cluster=redis://b"})) ==
        "--cluster is given twice, and only one can count");
  CHECK(error_of(make_input({"--port=1", "--port=2"})).empty());
  CHECK(error_of(make_input({"--control=ipc:///a"}, {"SYNCRELAY_CONTROL=ipc:///b"})).empty());
}

TEST_CASE("An address is no file of keys, and what holds a secret is not shown") {
  CHECK(error_of(make_input({"--token-jwks=https://id.example/jwks"})).find("fetch the set") !=
        std::string::npos);
  const std::string pem = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n";
  for (const char* const name :
       {"SYNCRELAY_TLS_KEY=", "SYNCRELAY_TOKEN_KEY=", "SYNCRELAY_CURVE_KEY="}) {
    const std::string told = error_of(make_input({}, {name + pem}));
    CHECK(told.find("looks like the secret itself") != std::string::npos);
    CHECK(told.find("PRIVATE") == std::string::npos);
  }
}

TEST_CASE("healthcheck says that it needs no word about TLS") {
  for (const char* const option : {"--tls", "--ca=file"})
    CHECK(error_of(make_input({"healthcheck", option})).find("finds out by itself") !=
          std::string::npos);
}

TEST_CASE("A relay takes a certificate and its key, or neither") {
  CHECK(error_of(make_input({"--tls-cert", "c.pem", "--tls-key", "k.pem"})).empty());
  CHECK(error_of(make_input({"--tls-cert", "c.pem"})) ==
        "tls-cert (from --tls-cert): needs --tls-key");
  CHECK(error_of(make_input({}, {"SYNCRELAY_TLS_KEY=k.pem"})) ==
        "tls-key (from SYNCRELAY_TLS_KEY): needs --tls-cert");
  CHECK(error_of(make_input({"--admin-tls"})) == "admin-tls (from --admin-tls): needs --tls-cert");
  CHECK(error_of(make_input({"healthcheck", "--tls-cert", "c.pem"})).empty());
}

TEST_CASE("The sockets follow the runtime directory unless they are given") {
  const Words environment = {"SYNCRELAY_RUNTIME_DIR=/run/syncrelay"};
  const auto followed = parse_invocation(make_input({}, environment));
  REQUIRE(followed.ok());
  CHECK(followed.value().config.commands == Words{"ipc:///run/syncrelay/commands.sock"});
  CHECK(followed.value().config.control == "ipc:///run/syncrelay/control.sock");
  const auto given = parse_invocation(
      make_input({"--commands", "ipc:///a", "--control", "ipc:///b"}, environment));
  REQUIRE(given.ok());
  CHECK(given.value().config.commands == Words{"ipc:///a"});
  CHECK(given.value().config.control == "ipc:///b");
}

TEST_CASE("A runtime directory that leaves no room for its sockets' paths is refused") {
  CHECK(error_of(make_input({"--runtime-dir", std::string(93, 'd')})).empty());
  CHECK(error_of(make_input({"--runtime-dir", std::string(94, 'd')})).find("up to 93") !=
        std::string::npos);
}

TEST_CASE("A runtime directory that would turn its sockets into abstract ones is refused") {
  CHECK_FALSE(error_of(make_input({"--runtime-dir", "@run"})).empty());
  CHECK(error_of(make_input({"--runtime-dir", "./@run"})).empty());
}

TEST_CASE("--no-page is the same as --page off, and counts before it") {
  for (const Words& arguments : {Words{"--no-page"}, Words{"--page", "on", "--no-page"}}) {
    const auto result = parse_invocation(make_input(arguments, {"SYNCRELAY_PAGE=on"}));
    REQUIRE(result.ok());
    CHECK(result.value().config.page == Page::off);
    CHECK(result.value().origins.at("page") == "--no-page");
  }
  CHECK(parse_invocation(make_input({}, {"SYNCRELAY_PAGE=on"})).value().config.page == Page::on);
  CHECK(parse_invocation(make_input({})).value().config.page == Page::automatic);
}

TEST_CASE("More state keys than max-state-keys are refused") {
  CHECK(error_of(make_input({"--max-state-keys", "1"})) ==
        "state-key (from default): more keys than max-state-keys allows");
}

TEST_CASE("Values that are not UTF-8 are refused, and shown without the odd bytes") {
  CHECK(error_of(make_input({"--state-key", "a\xff"})) ==
        "state-key (from --state-key): \"a?\" is not valid UTF-8");
}

TEST_CASE("An error is one printable line of bounded length, whatever the input") {
  const std::string long_text(100'000, 'x');
  CHECK(error_of(make_input({"--host", "a\nb"})) ==
        "host (from --host): \"a\\u000ab\" is neither an address nor a host name (IPv6 without "
        "brackets)");
  CHECK(error_of(make_input({"--port", long_text})).size() < 400);
  CHECK(error_of(make_input({"--" + long_text})).size() < 400);
  CHECK(error_of(make_input({long_text})).size() < 400);
  CHECK(error_of(make_file_input(long_text + " = 1")).size() < 400);
}

}  // namespace
}  // namespace syncrelay
