#include "syncrelay/ws/transients.h"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>

namespace syncrelay {
namespace {

using std::chrono::seconds;

struct Visitor : Transient {};

constexpr TimePoint at(int second) {
  return TimePoint(seconds(second));
}

// Visitors of the addresses named, one letter each, that came in this order.
std::vector<std::unique_ptr<Visitor>> crowd(Transients& transients, std::string_view addresses) {
  std::vector<std::unique_ptr<Visitor>> visitors;
  for (const char letter : addresses) {
    visitors.push_back(std::make_unique<Visitor>());
    transients.enter(*visitors.back(), std::string(1, letter),
                     at(static_cast<int>(visitors.size())), at(1000));
  }
  return visitors;
}

TEST_CASE("Nobody has to go while there is room") {
  Transients transients({3, 0});
  const auto visitors = crowd(transients, "aab");
  CHECK(transients.surplus(*visitors.back()) == nullptr);
}

TEST_CASE("The oldest has to go, wherever the others come from, and then the next oldest") {
  Transients transients({4, 0});
  const auto visitors = crowd(transients, "abcde");
  for (std::size_t index = 0; index < 4; ++index) {
    CHECK(transients.surplus(*visitors.back()) == visitors[index].get());
    transients.leave(*visitors[index]);
    transients.enter(*visitors[index], std::string(1, "abcde"[index]), at(20), at(1000));
  }
}

TEST_CASE("Many from one place do not have to go for older ones from many places") {
  Transients transients({5, 0});
  const auto visitors = crowd(transients, "abcppp");
  CHECK(transients.surplus(*visitors.back()) == visitors[0].get());
}

TEST_CASE("A crowd from one place displaces its own oldest, not one that came before it") {
  Transients transients({4, 0});
  const auto visitors = crowd(transients, "baaac");
  CHECK(transients.surplus(*visitors.back()) == visitors[1].get());
}

TEST_CASE("A network displaces its own oldest at its bound, whatever room there is") {
  Transients transients({100, 2});
  const auto visitors = crowd(transients, "ababa");
  CHECK(transients.surplus(*visitors[4]) == visitors[0].get());
  CHECK(transients.surplus(*visitors[3]) == nullptr);
}

TEST_CASE("Who has no network is bounded with all others only") {
  Transients transients({4, 2});
  std::vector<std::unique_ptr<Visitor>> proxied;
  const auto first = crowd(transients, "b");
  for (int second = 2; second < 6; ++second) {
    CHECK(transients.surplus(*first[0]) == nullptr);
    proxied.push_back(std::make_unique<Visitor>());
    transients.enter(*proxied.back(), "", at(second), at(1000));
  }
  CHECK(transients.surplus(*proxied.back()) == first[0].get());
}

TEST_CASE("Who left takes no room, and leaving twice is harmless") {
  Transients transients({2, 0});
  const auto visitors = crowd(transients, "aab");
  transients.leave(*visitors[0]);
  transients.leave(*visitors[0]);
  CHECK(transients.size() == 2);
  CHECK(transients.surplus(*visitors[2]) == nullptr);
  transients.leave(*visitors[2]);
  transients.leave(*visitors[1]);
  CHECK(transients.size() == 0);
}

TEST_CASE("Those are overdue whose time is over") {
  Transients transients({10, 0});
  Visitor early;
  Visitor late;
  transients.enter(early, "a", at(0), at(10));
  transients.enter(late, "a", at(0), at(20));
  CHECK(transients.overdue(at(9)).empty());
  CHECK(transients.overdue(at(10)) == std::vector<Transient*>{&early});
  CHECK(transients.overdue(at(20)).size() == 2);
}

}  // namespace
}  // namespace syncrelay
