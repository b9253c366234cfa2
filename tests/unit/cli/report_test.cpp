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

TEST_CASE("Clients stand in a table, with times and sizes in fitting units") {
  const char* answer = R"({"ok":true,"seq":1,"epoch":"e","clients":[
    {"id":1,"address":"127.0.0.1","since":1000.000000,"lag":0,"bytes":512,"last_pong":0.250},
    {"id":22,"address":"::1","since":91.500000,"lag":7,"bytes":1572864,"last_pong":90.000}]})";
  CHECK(clients_report(answer, WallTime{1'000'000'000 + 500'000}, false) ==
        "id  address    connected  lag     sent  last sign\n"
        " 1  127.0.0.1      0.5 s    0    512 B      0.2 s\n"
        "22  ::1         15.2 min    7  1.5 MiB    1.5 min\n");
}

TEST_CASE("Without clients a sentence says so") {
  CHECK(clients_report(R"({"ok":true,"clients":[]})", WallTime{}, false) ==
        "no clients are connected\n");
}

TEST_CASE("The position and the counters stand in one object, or in a table") {
  const char* answer = R"({"ok":true,"seq":4,"epoch":"e1","clients":2,"stats":{"events":4}})";
  CHECK(flat_stats(answer) == R"({"seq":4,"epoch":"e1","clients":2,"events":4})");
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
