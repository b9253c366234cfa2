#include "syncrelay/ws/transients.h"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>

namespace syncrelay {
namespace {

using std::chrono::seconds;

struct Visitor : Transient {
  using Transient::Transient;
};

constexpr TimePoint at(int second) {
  return TimePoint(seconds(second));
}

// Visitors of the addresses named, one letter each, that came in this order.
std::vector<std::unique_ptr<Visitor>> crowd(Transients& transients, std::string_view addresses) {
  std::vector<std::unique_ptr<Visitor>> visitors;
  for (const char letter : addresses) {
    visitors.push_back(std::make_unique<Visitor>(std::string(1, letter)));
    transients.enter(*visitors.back(), at(static_cast<int>(visitors.size())), at(1000));
  }
  return visitors;
}

TEST_CASE("Nobody has to go while there is room") {
  Transients transients({3, 0});
  const auto visitors = crowd(transients, "aab");
  CHECK(transients.surplus(*visitors.back()) == nullptr);
}

TEST_CASE("A crowd displaces its own oldest, not the one that comes last or alone") {
  Transients transients({4, 0});
  const auto visitors = crowd(transients, "baaac");
  CHECK(transients.surplus(*visitors.back()) == visitors[1].get());
}

TEST_CASE("An address displaces its own oldest at its bound, whatever room there is") {
  Transients transients({100, 2});
  const auto visitors = crowd(transients, "ababa");
  CHECK(transients.surplus(*visitors[4]) == visitors[0].get());
  CHECK(transients.surplus(*visitors[3]) == nullptr);
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
  Visitor early("a");
  Visitor late("a");
  transients.enter(early, at(0), at(10));
  transients.enter(late, at(0), at(20));
  CHECK(transients.overdue(at(9)).empty());
  CHECK(transients.overdue(at(10)) == std::vector<Transient*>{&early});
  CHECK(transients.overdue(at(20)).size() == 2);
}

}  // namespace
}  // namespace syncrelay
