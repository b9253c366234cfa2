#include "syncrelay/relay/timers.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace syncrelay {
namespace {

TimePoint at(int seconds) {
  return TimePoint{} + std::chrono::seconds(seconds);
}

// What is due, as text.
std::string due(const Timers& timers, int seconds, std::size_t max = 100) {
  std::string text;
  for (const Expire& expire : timers.due(at(seconds), max)) {
    text += expire.channel + '/' + expire.key + '@' + std::to_string(expire.version) +
            (expire.told ? " " : "! ");
  }
  return text;
}

TEST_CASE("A key is due when its time has come, the oldest first, until it is ended") {
  Timers timers;
  CHECK_FALSE(timers.next());
  timers.set("a", "k", 7, true, at(20));
  timers.set("", "radio", 8, false, at(10));
  CHECK(timers.next() == at(10));
  CHECK(due(timers, 9).empty());
  CHECK(due(timers, 10) == "/radio@8! ");
  CHECK(due(timers, 20) == "/radio@8! a/k@7 ");
  CHECK(due(timers, 20, 1) == "/radio@8! ");
  timers.end("", "radio");
  CHECK(due(timers, 20) == "a/k@7 ");
  CHECK(timers.next() == at(20));
}

TEST_CASE("A key that is set again has only its newest time") {
  Timers timers;
  timers.set("a", "k", 1, true, at(10));
  timers.set("a", "k", 2, true, at(30));
  CHECK(timers.size() == 1);
  CHECK(due(timers, 20).empty());
  CHECK(due(timers, 30) == "a/k@2 ");
}

TEST_CASE("The end of one key or channel leaves the others") {
  Timers timers;
  timers.set("a", "k", 1, true, at(10));
  timers.set("a", "l", 2, true, at(10));
  timers.set("ab", "k", 3, true, at(10));
  timers.end("a", "none");
  timers.end("none", "k");
  timers.end_all("none");
  CHECK(timers.size() == 3);
  timers.end("a", "k");
  CHECK(due(timers, 10) == "a/l@2 ab/k@3 ");
  timers.end_all("a");
  CHECK(due(timers, 10) == "ab/k@3 ");
  timers.end_all("ab");
  CHECK(timers.empty());
}

}  // namespace
}  // namespace syncrelay
