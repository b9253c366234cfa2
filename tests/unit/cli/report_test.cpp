#include "syncrelay/cli/report.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

#include "syncrelay/cli/table.h"

namespace syncrelay {
namespace {

// The reports tell local time.
void use_utc() {
  setenv("TZ", "UTC", 1);
  tzset();
}

TEST_CASE("A table's columns are as wide as their widest cell, and lines end without space") {
  Table table({{"id", Table::Align::right}, {"name"}});
  table.add({"1", "a"});
  table.add({"1000", "longer"});
  CHECK(table.text(false) == "  id  name\n   1  a\n1000  longer\n");
  CHECK(table.text(true).starts_with("\x1b[1m  id  name\x1b[0m\n"));
}

TEST_CASE("Refused commands stand in a table, with the place and the reason") {
  use_utc();
  const char* answer = R"({"ok":true,"seq":1,"epoch":"e","refused":[
    {"ts":0.250000,"reason":"wrong_type","detail":"a \"b\"","source":"push","endpoint":"ipc:///a","op":"set","channel":"room:1","offset":17,"index":3,"bytes":40},
    {"ts":0.000000,"reason":"invalid_json","detail":"no","source":"http","channel":"","offset":0,"bytes":1}]})";
  CHECK(refused_report(answer, false) ==
        "time                     source         op   channel  reason        at                  "
        "why\n"
        "1970-01-01 00:00:00.250  push ipc:///a  set  room:1   wrong_type    command 3, byte 17  a "
        "\"b\"\n"
        "1970-01-01 00:00:00.000  http                         invalid_json  byte 0              "
        "no\n");
  CHECK(refused_report(R"({"ok":true,"refused":[]})", false).empty());
}

TEST_CASE("Clients stand in a table, with times and sizes in fitting units") {
  const char* answer = R"({"ok":true,"seq":1,"epoch":"e","clients":[
    {"id":1,"address":"127.0.0.1","since":1000.000000,"channels":1,"lag":0,"bytes":512,"last_pong":0.250},
    {"id":22,"address":"::1","since":91.500000,"channels":12,"lag":7,"bytes":1572864,"last_pong":90.000,"identity":"dev-1"}]})";
  CHECK(clients_report(answer, WallTime{1'000'000'000 + 500'000}, false) ==
        "id  address    identity  connected  channels  lag     sent  last sign\n"
        " 1  127.0.0.1                0.5 s         1    0    512 B      0.2 s\n"
        "22  ::1        dev-1      15.2 min        12    7  1.5 MiB    1.5 min\n");
}

TEST_CASE("Members are a table, each with how long it has been there and what it says of itself") {
  const char* answer = R"({"ok":true,"seq":1,"epoch":"e","clients":2,"members":{
      "dev-1":{"info":{"name":"Phone\u001b"},"since":1000.000000},
      "tablet":{"info":{},"since":940.500000}}})";
  CHECK(members_report(answer, WallTime{1'000'000'000 + 500'000}, false) ==
        "id         here  info\n"
        "dev-1     0.5 s  {\"name\":\"Phone\\u001b\"}\n"
        "tablet  1.0 min  {}\n");
  CHECK(members_report(R"({"ok":true,"members":{}})", WallTime{}, false).empty());
}

TEST_CASE("Without clients there is no table") {
  CHECK(clients_report(R"({"ok":true,"clients":[]})", WallTime{}, false).empty());
}

TEST_CASE("Channels stand in a table, the default one first and by a word of its own") {
  const std::vector<std::string> channels = {
      R"({"name":"","seq":120,"epoch":"e","subscribers":9,"keys":2,"bytes":40})",
      R"({"name":"room:42","seq":7,"epoch":"e","subscribers":0,"keys":1,"bytes":2048})"};
  CHECK(channels_report(channels, false) ==
        "name       seq  subscribers  keys    bytes\n"
        "(default)  120            9     2     40 B\n"
        "room:42      7            0     1  2.0 KiB\n");
}

TEST_CASE("Each value can stand with its version") {
  CHECK(versioned_state(R"({"ok":true,"state":{"radio":{"n":1.50},"a\"b":null},)"
                        R"("versions":{"radio":18,"a\"b":4}})") ==
        R"({"radio":{"version":18,"value":{"n":1.50}},"a\"b":{"version":4,"value":null}})");
  CHECK(versioned_state(R"({"ok":true,"state":{},"versions":{}})") == "{}");
}

TEST_CASE("A refusal says why, and a conflict which versions there are now") {
  CHECK(refusal_report(R"({"ok":false,"error":{"code":"invalid_key","message":"too \"long\"",)"
                       R"("offset":3}})") == "refused: invalid_key: too \"long\"");
  CHECK(refusal_report(R"({"ok":false,"error":{"code":"conflict","message":"other versions",)"
                       R"("offset":0,"current":{"radio":{"version":18,"value":1},)"
                       R"("lock":{"version":0}}}})") ==
        "refused: conflict: other versions; radio has version 18 now, lock is not there now");
}

TEST_CASE("Where a command took effect is told with its channels") {
  CHECK(position_report(R"({"ok":true,"seq":7,"clients":3})", "") == "at position 7; clients: 3");
  CHECK(position_report(R"({"ok":true,"seq":7,"clients":3})", "room:42") ==
        "in room:42 at position 7; clients: 3");
  CHECK(position_report(
            R"({"ok":true,"seq":7,"clients":3,"positions":{"a":{"seq":7},"":{"seq":9}}})", "a") ==
        "in a at position 7, in the default channel at position 9; clients: 3");
}

TEST_CASE("Clients are listed by their numbers") {
  const char* answer = R"({"ok":true,"clients":[{"id":10},{"id":2},{"id":9}]})";
  const std::string table = clients_report(answer, WallTime{}, false);
  CHECK(table.find("\n 2 ") < table.find("\n 9 "));
  CHECK(table.find("\n 9 ") < table.find("\n10 "));
}

TEST_CASE("The position and the counters stand in one object, or in a table") {
  const char* answer = R"({"ok":true,"seq":4,"epoch":"e1","clients":2,"stats":{"events":4}})";
  CHECK(flat_stats(answer) == R"({"seq":4,"epoch":"e1","clients":2,"events":4})");
  const char* counted = R"({"ok":true,"seq":4,"clients":0,"stats":{"clients":7}})";
  CHECK(flat_stats(counted) == R"({"seq":4,"clients":7})");
  const char* cluster =
      R"({"ok":true,"seq":4,"stats":{"cluster":{"lag":0.5,"checkpoints":{"written":1}}}})";
  CHECK(flat_stats(cluster) == R"({"seq":4,"cluster":{"lag":0.5,"checkpoints":{"written":1}}})");
  CHECK(stats_report(cluster, false) ==
        "counter                      value\n"
        "seq                              4\n"
        "cluster.lag                    0.5\n"
        "cluster.checkpoints.written      1\n");
  CHECK(stats_report(answer, false) ==
        "counter  value\n"
        "seq          4\n"
        "epoch       e1\n"
        "clients      2\n"
        "events       4\n");
}

TEST_CASE("An event's line has its time, its position, its type and its data") {
  use_utc();
  CHECK(message_line(R"({"type":"radio:started","data":{"t":1},"ts":1763838001.999900,"seq":42})",
                     false) == "19:00:01.999  42  radio:started  {\"t\": 1}");
  CHECK(message_line(R"({"type":"x","data":null,"ts":0.000000,"seq":1})", true) ==
        "\x1b[2m00:00:00.000\x1b[0m  \x1b[33m1\x1b[0m  \x1b[1mx\x1b[0m  \x1b[2mnull\x1b[0m");
}

TEST_CASE("An event of a named channel tells its name before its type") {
  use_utc();
  CHECK(message_line(R"({"type":"chat:said","channel":"room:42","data":1,"ts":0.0,"seq":8})",
                     false) == "00:00:00.000  8  room:42  chat:said  1");
  CHECK(message_line(R"({"type":"sync:refused","channel":"a","code":"forbidden","message":"no"})",
                     false) == "a  sync:refused  code=\"forbidden\"  message=\"no\"");
  CHECK(message_line(R"({"type":"sync:unsubscribed","channel":"a","reason":"dropped"})", false) ==
        "a  sync:unsubscribed  reason=\"dropped\"");
}

TEST_CASE("What else a message says comes after its data") {
  use_utc();
  CHECK(message_line(R"({"type":"sync:full","data":{},"ts":0.0,"seq":9,"epoch":"e","skipped":3})",
                     false) == "00:00:00.000  9  sync:full  {}  epoch=\"e\"  skipped=3");
  CHECK(message_line(R"({"type":"ping"})", false) == "ping");
}

TEST_CASE("A type cannot command the terminal") {
  CHECK(message_line("{\"type\":\"\xc2\x9b\"}", false) == "\\u009b");
}

}  // namespace
}  // namespace syncrelay
