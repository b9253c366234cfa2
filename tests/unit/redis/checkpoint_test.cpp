#include "syncrelay/redis/checkpoint.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

TEST_CASE("What is said of a checkpoint is read as it was written") {
  const CheckpointRecord record{"00ff00ff00ff00ff",
                                3,
                                {{1'763'838'000'123, 7}, "4:12345:0123456789abcdef:17", 4, 12'345},
                                20'000'000,
                                0xabcdef};
  const auto read = CheckpointRecord::parse(record.text());
  REQUIRE(read);
  CHECK(read->name == record.name);
  CHECK(read->parts == 3);
  CHECK(read->position.id == record.position.id);
  CHECK(read->position.mark == record.position.mark);
  CHECK(read->position.generation == 4);
  CHECK(read->position.n == 12'345);
  CHECK(read->bytes == 20'000'000);
  CHECK(read->sum == 0xabcdef);
}

TEST_CASE("Anything else is no record") {
  const std::string good = "a 1 2 3-4 5:2:0123456789abcdef:0 6 0000000000000000";
  REQUIRE(CheckpointRecord::parse(good));
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK_FALSE(CheckpointRecord::parse(good.substr(0, size)));
  for (const char* text :
       {"a x 2 3-4 5:2:r:0 6 0000000000000000", "a 1 2 34 5:2:r:0 6 0000000000000000",
        "a 1 2 3-4 r 6 0000000000000000", "a 1 2 3-4 5:2:r:0 6 000000000000000g"})
    CHECK_FALSE(CheckpointRecord::parse(text));
}

TEST_CASE("A checkpoint holds who has appended what, and the state byte for byte") {
  const Ledger ledger = {{{1}, 2}, {{0xffffffffffffffff}, 0}, {{7}, 1ULL << 60}};
  const std::string state("\0state\n{}", 9);
  const auto unpacked = unpack_checkpoint(pack_checkpoint(ledger, state));
  REQUIRE(unpacked);
  CHECK(unpacked->ledger == ledger);
  CHECK(unpacked->state == state);
  CHECK(unpack_checkpoint(pack_checkpoint({}, ""))->state.empty());
}

TEST_CASE("A checkpoint that ends within the ledger, or promises more than it has, is none") {
  const std::string bytes = pack_checkpoint({{{1}, 2}, {{3}, 4}}, "");
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(unpack_checkpoint(bytes.substr(0, size)));
  CHECK_FALSE(unpack_checkpoint(std::string(64, '\xff')));
}

}  // namespace
}  // namespace syncrelay
