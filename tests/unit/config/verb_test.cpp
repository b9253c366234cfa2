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

TEST_CASE("What a bench does stands behind its name, within bounds") {
  const BenchWish usual = invocation_of({"bench"}).request.bench;
  CHECK(usual.clients == 100);
  CHECK(usual.events == 1000);
  CHECK(usual.size == 100);
  CHECK(usual.rate == 100);
  CHECK_FALSE(usual.yes);
  const BenchWish wish = invocation_of({"bench", "--clients=1", "--events", "2", "--size=3KiB",
                                        "--rate", "0", "--yes"})
                             .request.bench;
  CHECK(wish.clients == 1);
  CHECK(wish.events == 2);
  CHECK(wish.size == 3072);
  CHECK(wish.rate == 0);
  CHECK(wish.yes);
  for (const char* option : {"--clients=0", "--clients=100001", "--events=0", "--events=1000001",
                             "--size=1025KiB", "--rate=1000001", "--rate=-1"})
    CHECK(error_of(make_input({"bench", option})).find("is not") != std::string::npos);
}

TEST_CASE("Each command has its action, and its words come in order") {
  CHECK(invocation_of({"state"}).action == Action::state);
  CHECK(invocation_of({"watch"}).action == Action::watch);
  CHECK(invocation_of({"clients"}).action == Action::clients);
  CHECK(invocation_of({"members"}).action == Action::members);
  CHECK(invocation_of({"stats"}).action == Action::stats);
  CHECK(invocation_of({"explain", "7"}).action == Action::explain);
  CHECK(words_of({"explain", "@7"}) == Words{"@7"});
  CHECK(invocation_of({"refused"}).action == Action::refused);
  CHECK(invocation_of({"events"}).action == Action::events);
  CHECK(words_of({"events", "@dev-1"}) == Words{"@dev-1"});
  CHECK(invocation_of({"bench"}).action == Action::bench);
  CHECK(invocation_of({"channels"}).action == Action::channels);
  CHECK(words_of({"channels", "room:"}) == Words{"room:"});
  CHECK(invocation_of({"drop", "room:42"}).action == Action::drop);
  CHECK(words_of({"drop", "room:42"}) == Words{"room:42"});
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

TEST_CASE("How much is listed, from where and for how long it is waited for it are bounded") {
  const Request usual = invocation_of({"events"}).request;
  CHECK_FALSE(usual.max);
  CHECK_FALSE(usual.after);
  CHECK(usual.wait.count() == 0);
  const Request request =
      invocation_of({"events", "a", "--max=1000", "--after", "0", "--wait=60s"}).request;
  CHECK(request.max == 1000);
  CHECK(request.after == 0);
  CHECK(request.wait == std::chrono::seconds(60));
  CHECK(invocation_of({"refused", "--max", "1"}).request.max == 1);
  for (const char* option : {"--max=0", "--max=1001", "--after=-1", "--after=x", "--wait=61s"})
    CHECK(error_of(make_input({"events", option})).find("is not") != std::string::npos);
  CHECK(error_of(make_input({"events", "--wait=1s"})).find("--wait needs --after") !=
        std::string::npos);
  CHECK(error_of(make_input({"refused", "--after=1"})).find("goes with events only") !=
        std::string::npos);
  CHECK(error_of(make_input({"events", "a b"})).find("is not the name of a channel") !=
        std::string::npos);
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
  CHECK(request.channels.empty());
  CHECK_FALSE(request.ttl);
  CHECK_FALSE(request.if_version);
  CHECK_FALSE(request.json);
  CHECK_FALSE(request.silent);
  CHECK_FALSE(request.versions);
}

TEST_CASE("Watch knows TLS and whom to believe, and nothing else does") {
  CHECK(invocation_of({"watch", "--tls"}).request.tls);
  CHECK(invocation_of({"watch", "--ca", "c.pem"}).request.ca == "c.pem");
  CHECK_FALSE(error_of(make_input({"watch", "--ca", ""})).empty());
  CHECK(error_of(make_input({"state", "--tls"})) == "--tls goes with watch and bench only");
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
        "unexpected argument \"clints\"; usage: syncrelay watch [--channel NAME]...");
  CHECK(error_of(make_input({"stats", "x"})) ==
        "unexpected argument \"x\"; usage: syncrelay stats");
  CHECK(error_of(make_input({"serve", "x"})) ==
        "unexpected argument \"x\"; usage: syncrelay serve");
  CHECK(error_of(make_input({"clints"})) ==
        "unexpected argument \"clints\"; the nearest command is clients");
  CHECK(error_of(make_input({"nope"})) ==
        "unexpected argument \"nope\"; syncrelay --help lists the commands");
}

TEST_CASE("Who names a channel as a word is shown the option that names it") {
  for (const std::string verb : {"members", "clients"}) {
    CHECK(error_of(make_input({verb, "room:1"})) ==
          "unexpected argument \"room:1\"; usage: syncrelay " + verb + " [--channel NAME]");
  }
}

TEST_CASE("A command that is none is named with the nearest one, whatever options stand there") {
  const std::string nearest = "unexpected argument \"member\"; the nearest command is members";
  CHECK(error_of(make_input({"--timeout", "2s", "member"})) == nearest);
  CHECK(error_of(make_input({"member", "--channel", "a", "--timeout=2s"})) == nearest);
  CHECK(error_of(make_input({"--timeout", "never", "member"})) == nearest);
  CHECK(error_of(make_input({"--timeout", "2s", "--chanel=a"})) ==
        "unknown option --chanel; the nearest known is --channel");
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

TEST_CASE("What asks about state, events or clients names the channel that it means") {
  for (const Words& words :
       {Words{"state"}, Words{"set", "k", "1"}, Words{"merge", "k", "1"}, Words{"delete", "k", "l"},
        Words{"publish", "t"}, Words{"watch"}, Words{"clients"}, Words{"members"}}) {
    Words arguments = words;
    arguments.insert(arguments.end(), {"--channel", "room:42"});
    CHECK(invocation_of(arguments).request.channels == Words{"room:42"});
  }
  CHECK(invocation_of({"state", "--channel="}).request.channels == Words{""});
  CHECK(error_of(make_input({"stats", "--channel", "a"})) ==
        "--channel goes with state, set, merge, delete, publish, watch, clients and members only");
}

TEST_CASE("An event goes to several channels, and several can be watched") {
  for (const char* verb : {"publish", "watch"}) {
    Words arguments = {verb, "--channel", "a", "--channel=", "--channel", "b"};
    if (arguments[0] == "publish") arguments.emplace_back("t");
    CHECK(invocation_of(arguments).request.channels == Words{"a", "", "b"});
    arguments.emplace_back("--channel=a");
    CHECK(error_of(make_input(arguments)) == "channel (from --channel): \"a\" comes twice");
  }
  CHECK(error_of(make_input({"state", "--channel", "a", "--channel", "b"})) ==
        "--channel can be repeated with publish and watch only");
  Words many = {"publish", "t"};
  for (int i = 0; i < 1001; ++i) many.push_back("--channel=room:" + std::to_string(i));
  CHECK(error_of(make_input(many)) == "an event goes to 1000 channels at most");
}

TEST_CASE("What is no name of a channel is told before anything is sent") {
  const std::string rule = "(a name is 1 to 128 of A-Z a-z 0-9 _ . : ~ - @ /)";
  for (const std::string& bad : Words{"a b", "room,1", "caf\xc3\xa9", std::string(129, 'c'), "*"}) {
    CHECK(error_of(make_input({"state", "--channel", bad})) ==
          "channel (from --channel): \"" + bad + "\" is not the name of a channel " + rule);
    CHECK(error_of(make_input({"drop", bad})) ==
          '"' + bad + "\" is not the name of a channel " + rule);
    CHECK(error_of(make_input({"channels", bad})) ==
          '"' + bad + "\" begins no channel's name " + rule);
  }
  CHECK(words_of({"channels", ""}) == Words{""});
  CHECK(error_of(make_input({"drop", ""})) == "the default channel cannot be dropped");
  CHECK(error_of(make_input({"drop"})) ==
        "drop needs more arguments; usage: syncrelay drop CHANNEL");
}

TEST_CASE("An identity or a connection can be disconnected, with a code and a reason") {
  const Invocation by_id = invocation_of({"disconnect", "dev-1", "--code", "4001", "--reason", ""});
  CHECK(by_id.action == Action::disconnect);
  CHECK(by_id.request.words == Words{"dev-1"});
  CHECK(by_id.request.code == 4001);
  CHECK(by_id.request.reason == "");
  CHECK(invocation_of({"disconnect", "--connection", "17"}).request.connection == 17);
  for (const Words& unclear : {Words{"disconnect"}, Words{"disconnect", "a", "--connection=1"}}) {
    CHECK(error_of(make_input(unclear)) ==
          "disconnect needs either an ID or --connection; usage: syncrelay disconnect [ID]");
  }
  CHECK(error_of(make_input({"disconnect", "@a"})) ==
        "\"@a\" is nobody's id (1 to 64 of A-Z a-z 0-9 _ . : ~ - /)");
  for (const char* code : {"3999", "5000", "x", "-1"}) {
    CHECK(error_of(make_input({"disconnect", "a", "--code", code})) ==
          "code (from --code): \"" + std::string(code) +
              "\" is not a close code from 4000 to 4999");
  }
  CHECK(error_of(make_input({"disconnect", "a", "--reason", std::string(124, 'r')}))
            .ends_with("is longer than 123 bytes"));
  CHECK(error_of(make_input({"clients", "--code", "4000"})) == "--code goes with disconnect only");
}

TEST_CASE("A key can be set for a time, and only if nobody has changed it") {
  CHECK(invocation_of({"set", "k", "1", "--ttl", "5"}).request.ttl == 5s);
  CHECK(invocation_of({"merge", "k", "1", "--ttl=1500ms"}).request.ttl == 1500ms);
  CHECK(invocation_of({"publish", "t", "--set", "k=1", "--ttl", "8760h"}).request.ttl == 8760h);
  CHECK(invocation_of({"set", "k", "1", "--if-version", "0"}).request.if_version == 0);
  CHECK(invocation_of({"delete", "k", "--if-version", "9007199254740991"}).request.if_version ==
        9007199254740991U);
  CHECK(invocation_of({"state", "--versions"}).request.versions);
}

TEST_CASE("A time or a version that makes no sense is refused") {
  CHECK(error_of(make_input({"set", "k", "1", "--ttl", "0"})) ==
        "ttl (from --ttl): \"0\" is not a duration (seconds, or with ms, s, m, h) from 1ms to "
        "8760h");
  CHECK_FALSE(error_of(make_input({"set", "k", "1", "--ttl", "8761h"})).empty());
  for (const char* bad : {"-1", "1.5", "9007199254740992", ""}) {
    CHECK(error_of(make_input({"set", "k", "1", "--if-version", bad})) ==
          "if-version (from --if-version): \"" + std::string(bad) +
              "\" is not a version: a whole number up to 9007199254740991, 0 for a key that is not "
              "there");
  }
  CHECK(error_of(make_input({"publish", "t", "--ttl", "5"})) ==
        "--ttl with publish needs --set: it is the keys that end, not the event");
  CHECK(error_of(make_input({"delete", "a", "b", "--if-version", "1"})) ==
        "--if-version with delete needs a single key");
  CHECK(error_of(make_input({"delete", "a", "--ttl", "1"})) ==
        "--ttl goes with set, merge and publish only");
  CHECK(error_of(make_input({"publish", "t", "--if-version", "1"})) ==
        "--if-version goes with set, merge and delete only");
  CHECK(error_of(make_input({"set", "k", "1", "--versions"})) == "--versions goes with state only");
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

TEST_CASE("Help for a command has what it knows, and nothing else") {
  const std::string set = invocation_of({"set", "--help"}).text;
  CHECK(
      set.starts_with("Set a key; - reads the JSON from standard input\n"
                      "Usage: syncrelay set KEY JSON [OPTIONS]\n"));
  for (const std::string known : {"--if-version VERSION", "--channel NAME", "--runtime-dir DIR"})
    CHECK(set.find("  " + known) != std::string::npos);
  for (const std::string other : {"--log-bytes", "--versions", "--host", "--count"})
    CHECK(set.find(other) == std::string::npos);
  const std::string watch = invocation_of({"watch", "-h"}).text;
  CHECK(watch.find("  --host HOST") != std::string::npos);
  CHECK(watch.find("--control") == std::string::npos);
  CHECK(invocation_of({"keygen", "--help"}).text.find("Which relay") == std::string::npos);
}

TEST_CASE("Help for the relay itself is all there is, and so is help for no command") {
  const std::string all = invocation_of({"--help"}).text;
  CHECK(all.find("--log-bytes SIZE") != std::string::npos);
  CHECK(invocation_of({"serve", "--help"}).text == all);
  CHECK(invocation_of({"nothing", "--help"}).text == all);
}

TEST_CASE("The word help is the option") {
  CHECK(invocation_of({"help"}).text == invocation_of({"--help"}).text);
  CHECK(invocation_of({"help", "set"}).text == invocation_of({"set", "--help"}).text);
  CHECK(invocation_of({"state", "help"}).request.words == std::vector<std::string>{"help"});
}

TEST_CASE("Every command stands in the help") {
  const std::string help = invocation_of({"--help"}).text;
  for (const config::Verb& verb : config::verbs()) {
    CAPTURE(verb.name);
    CHECK(help.find(std::string("  ") + std::string(verb.name) + ' ') != std::string::npos);
  }
}

TEST_CASE("A token comes from the environment where watch names no file") {
  const auto request_of = [](Words arguments, Words environment) {
    const auto result = parse_invocation(make_input(std::move(arguments), std::move(environment)));
    REQUIRE(result.ok());
    CHECK(result.value().warnings.empty());
    return result.value().request;
  };
  CHECK(request_of({"watch"}, {"SYNCRELAY_TOKEN=a.b-_.c"}).token == "a.b-_.c");
  CHECK(request_of({"watch"}, {"SYNCRELAY_TOKEN="}).token.empty());
  CHECK(request_of({"state"}, {"SYNCRELAY_TOKEN=a b"}).token.empty());
  const Request named = request_of({"watch", "--token-file", "f"}, {"SYNCRELAY_TOKEN=a.b.c"});
  CHECK(named.token.empty());
  CHECK(named.token_file == "f");
  CHECK(error_of(make_input({"watch"}, {"SYNCRELAY_TOKEN=secret\r\n"})) ==
        "SYNCRELAY_TOKEN holds no token: up to 8 KiB of A-Z a-z 0-9 _ . -");
}

}  // namespace
}  // namespace syncrelay
