#include "syncrelay/ws/admission.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

namespace syncrelay {
namespace {

TEST_CASE("As many clients enter as there are places, and who leaves makes room") {
  Admission admission({2, 0});
  CHECK_FALSE(admission.enter("a"));
  CHECK_FALSE(admission.enter("a"));
  CHECK(admission.enter("b") == RefusalReason::max_clients);
  CHECK(admission.enter("b") == RefusalReason::max_clients);
  admission.leave("a");
  CHECK_FALSE(admission.enter("b"));
  CHECK(admission.enter("c") == RefusalReason::max_clients);
}

TEST_CASE("An address has places of its own") {
  Admission admission({10, 2});
  CHECK_FALSE(admission.enter("a"));
  CHECK_FALSE(admission.enter("a"));
  CHECK(admission.enter("a") == RefusalReason::max_clients_per_address);
  CHECK_FALSE(admission.enter("b"));
  admission.leave("a");
  CHECK_FALSE(admission.enter("a"));
  CHECK(admission.enter("a") == RefusalReason::max_clients_per_address);
}

TEST_CASE("A refusal for the address takes no place from others") {
  Admission admission({2, 1});
  CHECK_FALSE(admission.enter("a"));
  for (int count = 0; count < 10; ++count)
    CHECK(admission.enter("a") == RefusalReason::max_clients_per_address);
  CHECK_FALSE(admission.enter("b"));
  CHECK(admission.enter("c") == RefusalReason::max_clients);
}

TEST_CASE("Places are counted right whatever threads come and go") {
  constexpr int kThreads = 4;
  Admission admission({100, 50});
  std::vector<std::thread> threads;
  for (int number = 0; number < kThreads; ++number) {
    threads.emplace_back([&admission, number] {
      const std::string address = number % 2 == 0 ? "even" : "odd";
      for (int round = 0; round < 2000; ++round) {
        if (!admission.enter(address)) admission.leave(address);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  int entered = 0;
  while (!admission.enter("even")) ++entered;
  CHECK(entered == 50);
  while (!admission.enter("other")) ++entered;
  CHECK(entered == 100);
}

}  // namespace
}  // namespace syncrelay
