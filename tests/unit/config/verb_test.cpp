#include "syncrelay/config/verb.h"

#include <doctest/doctest.h>

#include <chrono>

#include "invocation_fixture.h"

namespace syncrelay {
namespace {

using namespace std::chrono_literals;

Invocation invocation_of(Words arguments) {
  const InvocationInput input = make_input(std::move(arguments));
  const auto result = parse_invocation(input);
  REQUIRE_MESSAGE(result.ok(), error_of(input));
  return result.value();
}

Words words_of(Words arguments) {
  return invocation_of(std::move(arguments)).request.words;
}

TEST_CASE("Each command has its action, and its words come in order") {
  CHECK(invocation_of({"state"}).action == Action::state);
  CHECK(invocation_of({"watch"}).action == Action::watch);
  CHECK(invocation_of({"clients"}).action == Action::clients);
  CHECK(invocation_of({"stats"}).action == Action::stats);
  CHECK(words_of({"backup", "/tmp/file"}) == Words{"/tmp/file"});
  const Invocation set = invocation_of({"set", "radio", "{\"a\": [1]}"});
  CHECK(set.action == Action::set);
  CHECK(set.request.words == Words{"radio", "{\"a\": [1]}"});
  const Invocation publish = invocation_of({"publish", "radio:started"});
  CHECK(publish.action == Action::publish);
  CHECK(publish.request.words == Words{"radio:started"});
  const Invocation merge = invocation_of({"merge", "radio", "{\"a\":null}"});
  CHECK(merge.action == Action::merge);
  CHECK(merge.request.words == Words{"radio", "{\"a\":null}"});
  const Invocation remove = invocation_of({"delete", "a", "b", "c", "d"});
  CHECK(remove.action == Action::remove);
  CHECK(remove.request.words == Words{"a", "b", "c", "d"});
}

TEST_CASE("What a published event sets comes key by key, and JSON keeps its equals signs") {
  const Invocation publish = invocation_of(
      {"publish", "t", "--set", "a=[1,2]", "7", "--set=b=\"x=y\"", "--set", "c=-1", "--set", "d="});
  CHECK(publish.request.words == Words{"t", "7"});
  Words set;
  for (const KeyArgument& argument : publish.request.set)
    set.push_back(argument.key + " is " + argument.json);
  CHECK(set == Words{"a is [1,2]", "b is \"x=y\"", "c is -1", "d is "});
}

TEST_CASE("What is to be set must have a key and a value") {
  for (const char* bad : {"a", "=1", ""}) {
    CHECK(error_of(make_input({"publish", "t", "--set", bad})) ==
          "set (from --set): \"" + std::string(bad) + "\" is not KEY=JSON");
  }
  CHECK(error_of(make_input({"publish", "t", "--set", "a=\xff"})) ==
        "set (from --set): \"a=?\" is not valid UTF-8");
}

TEST_CASE("Standard input can stand for one value only") {
  CHECK(invocation_of({"publish", "t", "--set", "a=-"}).request.set[0].json == "-");
  CHECK(invocation_of({"publish", "-", "-"}).request.words == Words{"-", "-"});
  CHECK(invocation_of({"delete", "-", "-"}).request.words == Words{"-", "-"});
  for (const Words& arguments : {Words{"publish", "t", "-", "--set", "a=-"},
                                 Words{"publish", "t", "--set", "a=-", "--set", "b=-"}}) {
    CHECK(error_of(make_input(arguments)) ==
          "- stands for standard input more than once, and it can be read only once");
  }
}

TEST_CASE("A word may be a command's name, a dash, a negative number or empty") {
  CHECK(words_of({"set", "state", "-"}) == Words{"state", "-"});
  CHECK(words_of({"set", "k", "-1.5e3"}) == Words{"k", "-1.5e3"});
  CHECK(words_of({"merge", "k", "-1"}) == Words{"k", "-1"});
  CHECK(words_of({"publish", "stats", "[1,2]"}) == Words{"stats", "[1,2]"});
  CHECK(words_of({"state", ""}) == Words{""});
}

TEST_CASE("After two dashes every argument is a word") {
  CHECK(words_of({"state", "--", "--port"}) == Words{"--port"});
  CHECK(words_of({"set", "--", "-k", "1"}) == Words{"-k", "1"});
  CHECK(words_of({"state", "--", "--"}) == Words{"--"});
  CHECK(error_of(make_input({"--", "serve"})) ==
        "unexpected argument \"serve\"; usage: syncrelay serve");
}

TEST_CASE("Options stand anywhere among the words") {
  const Invocation set =
      invocation_of({"--timeout=2s", "set", "k", "--silent", "1", "--port", "7"});
  CHECK(set.request.words == Words{"k", "1"});
  CHECK(set.request.timeout == 2s);
  CHECK(set.request.silent);
  CHECK(set.config.port == 7);
}

TEST_CASE("Without options a request has its defaults") {
  const Request request = invocation_of({"watch"}).request;
  CHECK(request.timeout == 5s);
  CHECK(request.count == 0);
  CHECK_FALSE(request.json);
  CHECK_FALSE(request.silent);
}

TEST_CASE("A flag can be taken back") {
  CHECK(invocation_of({"stats", "--json"}).request.json);
  CHECK_FALSE(invocation_of({"stats", "--json", "--json=false"}).request.json);
}

TEST_CASE("Too few words, or too many, are an error that shows the usage") {
  CHECK(error_of(make_input({"set", "radio"})) ==
        "set needs more arguments; usage: syncrelay set KEY JSON");
  CHECK(error_of(make_input({"merge", "radio"})) ==
        "merge needs more arguments; usage: syncrelay merge KEY PATCH");
  CHECK(error_of(make_input({"delete"})) ==
        "delete needs more arguments; usage: syncrelay delete KEY...");
  CHECK(error_of(make_input({"publish"})) ==
        "publish needs more arguments; usage: syncrelay publish TYPE [JSON]");
  CHECK(error_of(make_input({"state", "a", "b"})) ==
        "unexpected argument \"b\"; usage: syncrelay state [KEY]");
  CHECK(error_of(make_input({"watch", "clints"})) ==
        "unexpected argument \"clints\"; usage: syncrelay watch");
  CHECK(error_of(make_input({"serve", "x"})) ==
        "unexpected argument \"x\"; usage: syncrelay serve");
  CHECK(error_of(make_input({"clints"})) ==
        "unexpected argument \"clints\"; the nearest command is clients");
}

TEST_CASE("A backup needs a name for its file") {
  CHECK(error_of(make_input({"backup", ""})) ==
        "backup needs the name of a file; usage: syncrelay backup FILE");
}

TEST_CASE("Port 0 is one to listen at and none to connect to") {
  CHECK(invocation_of({"--port", "0"}).config.port == 0);
  CHECK(invocation_of({"state", "--port", "0"}).config.port == 0);
  for (const char* command : {"watch", "healthcheck"}) {
    CHECK(error_of(make_input({command, "--port", "0"})) ==
          "port (from --port): \"0\" is no port to connect to: give the relay's");
  }
}

TEST_CASE("The control endpoint lies in /tmp when nobody named it or a directory") {
  CHECK(invocation_of({"state"}).control_in_tmp);
  CHECK_FALSE(invocation_of({"state", "--runtime-dir", "/tmp/syncrelay-1000"}).control_in_tmp);
  CHECK_FALSE(invocation_of({"state", "--control", "tcp://127.0.0.1:9"}).control_in_tmp);
  const auto named = parse_invocation(make_input({"state"}, {"SYNCRELAY_RUNTIME_DIR=/run/relay"}));
  CHECK_FALSE(named.value().control_in_tmp);
}

TEST_CASE("An unknown option of a command is an error that names the nearest one") {
  CHECK(error_of(make_input({"state", "--tiemout=1"})) ==
        "unknown option --tiemout; the nearest known is --timeout");
  CHECK(error_of(make_input({"state", "-1"})).starts_with("unknown option -1;"));
  CHECK(error_of(make_input({"set", "k", "-x"})).starts_with("unknown option -x;"));
}

TEST_CASE("An option goes with the commands that know it") {
  CHECK(error_of(make_input({"state", "--count", "3"})) == "--count goes with watch only");
  CHECK(error_of(make_input({"state", "--silent"})) ==
        "--silent goes with set, merge, delete and publish only");
  CHECK(error_of(make_input({"set", "k", "1", "--set", "a=1"})) == "--set goes with publish only");
  CHECK(error_of(make_input({"--timeout", "3"})) == "--timeout needs a command that asks a relay");
}

TEST_CASE("Every change of the state can be silent, an event cannot") {
  CHECK(invocation_of({"merge", "k", "1", "--silent"}).request.silent);
  CHECK(invocation_of({"delete", "k", "--silent"}).request.silent);
  CHECK(invocation_of({"publish", "t", "--silent", "--set", "k=1"}).request.silent);
  CHECK(error_of(make_input({"publish", "t", "--silent"})) ==
        "--silent with publish needs --set: an event goes to every client, only a change of the "
        "state can be kept from them");
}

TEST_CASE("A refused value of a command's option is told with what would be accepted") {
  CHECK(error_of(make_input({"state", "--timeout", "soon"})) ==
        "timeout (from --timeout): \"soon\" is not a duration (seconds, or with ms, s, m, h) from "
        "1ms to 24h");
  CHECK_FALSE(error_of(make_input({"state", "--timeout", "0"})).empty());
  CHECK_FALSE(error_of(make_input({"state", "--timeout", "25h"})).empty());
  CHECK_FALSE(error_of(make_input({"watch", "--count", "0"})).empty());
  CHECK_FALSE(error_of(make_input({"watch", "--count", "-1"})).empty());
  CHECK_FALSE(error_of(make_input({"watch", "--json=maybe"})).empty());
}

TEST_CASE("Words that are not UTF-8 are refused") {
  CHECK(error_of(make_input({"state", "a\xff"})) == "\"a?\" is not valid UTF-8");
}

TEST_CASE("Help for a command needs none of its words, and names them") {
  const Invocation help = invocation_of({"set", "--help"});
  CHECK(help.action == Action::help);
  CHECK(help.text.find("KEY JSON") != std::string::npos);
  CHECK(help.text.find("--timeout TIME") != std::string::npos);
}

TEST_CASE("Every command stands in the help") {
  const std::string help = invocation_of({"--help"}).text;
  for (const config::Verb& verb : config::verbs()) {
    CAPTURE(verb.name);
    CHECK(help.find(std::string("  ") + std::string(verb.name) + ' ') != std::string::npos);
  }
}

}  // namespace
}  // namespace syncrelay
