#include "syncrelay/post/outbox.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

Said said(std::size_t bytes = 2) {
  return {Said::Kind::message, 1, "#1", "", "r", std::string(bytes, 'x')};
}

class OutboxBench {
 public:
  std::vector<UpLetter> taken() {
    std::vector<UpLetter> letters;
    outbox.take(letters);
    return letters;
  }

  int woken = 0;
  Outbox outbox{[this] { ++woken; }};
};

TEST_CASE_FIXTURE(OutboxBench, "The relay is woken once for all that it has not read") {
  outbox.put(Subscribers{"a", 1});
  CHECK(woken == 0);
  outbox.put(Attendance{"a", "dev-1", nullptr, 1, false});
  CHECK(outbox.put(said()));
  outbox.put(Dismissed{1, 2});
  outbox.put(Reported{1, {}});
  CHECK(woken == 1);
  const std::vector<UpLetter> letters = taken();
  REQUIRE(letters.size() == 5);
  CHECK(std::holds_alternative<Subscribers>(letters[0]));
  CHECK(std::holds_alternative<Attendance>(letters[1]));
  CHECK(std::holds_alternative<Said>(letters[2]));
  CHECK(std::holds_alternative<Dismissed>(letters[3]));
  CHECK(std::holds_alternative<Reported>(letters[4]));
  outbox.put(Dismissed{2, 0});
  CHECK(woken == 2);
}

TEST_CASE_FIXTURE(OutboxBench, "Notices come together, before what clients say, the oldest go") {
  CHECK_FALSE(outbox.wants(WorkerEvent::connected));
  outbox.want(WorkerEvents().add(WorkerEvent::connected));
  CHECK(outbox.wants(WorkerEvent::connected));
  CHECK_FALSE(outbox.wants(WorkerEvent::disconnected));
  CHECK(outbox.put(said()));
  for (std::uint64_t connection = 0; connection < Outbox::kMaxNotices + 2; ++connection)
    outbox.put(Notice{WorkerEvent::connected, {}, {}, connection});
  CHECK(woken == 1);
  const std::vector<UpLetter> letters = taken();
  REQUIRE(letters.size() == 2);
  const auto& noticed = std::get<Noticed>(letters[0]);
  CHECK(noticed.dropped == 2);
  CHECK(noticed.notices.size() == Outbox::kMaxNotices);
  CHECK(noticed.notices.front().connection == 2);
  CHECK(noticed.notices.back().connection == Outbox::kMaxNotices + 1);
  CHECK(taken().empty());
}

TEST_CASE_FIXTURE(OutboxBench, "So many messages wait, and no more until they are read") {
  for (std::size_t count = 0; count < Outbox::kMaxSaid; ++count) REQUIRE(outbox.put(said()));
  CHECK_FALSE(outbox.put(said()));
  CHECK(taken().size() == Outbox::kMaxSaid);
  CHECK(outbox.put(said()));
}

TEST_CASE_FIXTURE(OutboxBench, "So many bytes wait, and no more until they are read") {
  constexpr std::size_t kBytes = 60'000;
  std::size_t count = 0;
  while (outbox.put(said(kBytes))) ++count;
  CHECK(count > 60);
  CHECK(count * kBytes <= Outbox::kMaxSaidBytes);
  CHECK(outbox.put(said()));  // a small one still fits
  CHECK(taken().size() == count + 1);
  CHECK(outbox.put(said(kBytes)));
}

TEST_CASE_FIXTURE(OutboxBench, "Messages come in the order in which they were said") {
  for (const char* ref : {"a", "b", "c"}) {
    Said message = said();
    message.ref = ref;
    CHECK(outbox.put(std::move(message)));
  }
  std::string order;
  for (const UpLetter& letter : taken()) order += std::get<Said>(letter).ref;
  CHECK(order == "abc");
}

}  // namespace
}  // namespace syncrelay
