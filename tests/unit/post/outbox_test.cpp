#include "syncrelay/post/outbox.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace syncrelay {
namespace {

// "room/dev-1 2" for each attendance, in the order of the texts.
std::vector<std::string> attendances(Outbox& outbox) {
  std::vector<UpLetter> letters;
  outbox.take(letters);
  std::vector<std::string> texts;
  for (const UpLetter& letter : letters) {
    if (const auto* said = std::get_if<Attendance>(&letter))
      texts.push_back(said->channel + '/' + said->id + ' ' + std::to_string(said->count) +
                      (said->clean ? " clean" : ""));
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

TEST_CASE("Who attends a channel wakes the relay, and the newest word of each is kept") {
  int wakes = 0;
  Outbox outbox([&wakes] { ++wakes; });
  outbox.put(Subscribers{"room", 1});
  CHECK(wakes == 0);
  outbox.put(Attendance{"room", "dev-1", nullptr, 1});
  CHECK(wakes == 1);
  outbox.put(Attendance{"room", "dev-1", nullptr, 0, true});
  outbox.put(Attendance{"room", "dev-2", nullptr, 2});
  outbox.put(Attendance{"", "dev-1", nullptr, 3});
  CHECK(wakes == 1);
  CHECK(attendances(outbox) ==
        std::vector<std::string>{"/dev-1 3", "room/dev-1 0 clean", "room/dev-2 2"});
  CHECK(attendances(outbox).empty());
  outbox.put(Attendance{"room", "dev-1", nullptr, 1});
  CHECK(wakes == 2);
}

}  // namespace
}  // namespace syncrelay
