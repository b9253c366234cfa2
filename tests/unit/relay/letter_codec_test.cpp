#include "syncrelay/relay/letter_codec.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/choices.h"
#include "support/letters.h"

namespace syncrelay {
namespace {

using testing::letter_text;
using testing::random_letter;
using testing::SeededChoices;

// What is read, as text, and the fault at the end.
std::string read(std::string_view bytes) {
  std::string text;
  LetterReader reader(bytes);
  for (;;) {
    const auto next = reader.next();
    if (!next) return text + std::to_string(next.error().offset) + ": " + next.error().what;
    if (!next.value()) return text;
    text += letter_text(*next.value()) + '\n';
  }
}

TEST_CASE("Letters come back from their bytes as they were, in their order") {
  SeededChoices choices(7);
  for (int round = 0; round < 500; ++round) {
    CAPTURE(round);
    LetterWriter writer;
    std::string told;
    std::vector<std::string> kept(choices.below(8));
    for (std::string& message : kept) {
      const Order::Letter letter = random_letter(choices, message);
      writer.add(letter);
      told += letter_text(letter) + '\n';
    }
    CHECK(writer.empty() == kept.empty());
    REQUIRE(read(writer.bytes()) == told);
  }
}

TEST_CASE("The form of the bytes is what relays before have written") {
  LetterWriter writer;
  writer.add(Order::Commanded{"{}", nullptr, 7});
  writer.add(Expire{"r", "k", 0x0102, true});
  writer.add(Forget{"", Seq{3}, false});
  writer.add(Arrive{"r", "d", std::make_shared<const std::string>("{}"), {4, 5}, 6});
  writer.add(Depart{"r", "d", "1.5", 6});
  writer.add(Gone{8});
  const auto number = [](char low, char high = 0) {
    return std::string{low, high} + std::string(6, '\0');
  };
  const auto head = [](char kind, char length) { return std::string{kind, length, 0, 0, 0}; };
  const auto name = [](const std::string& text) {
    return std::string{static_cast<char>(text.size()), 0} + text;
  };
  CHECK(writer.bytes() == "\1" + head(1, 2) + "{}" + head(2, 15) + name("r") + name("k") +
                              number(2, 1) + '\1' + head(3, 11) + name("") + number(3) + '\0' +
                              head(4, 34) + name("r") + name("d") + name("{}") + number(4) +
                              number(5) + number(6) + head(5, 19) + name("r") + name("d") +
                              name("1.5") + number(6) + head(6, 8) + number(8));
}

TEST_CASE("What is cut off anywhere is a fault that says where, behind what is whole") {
  LetterWriter writer;
  writer.add(Gone{1});
  const std::size_t second = writer.bytes().size();
  writer.add(Depart{"room", "dev-1", "1763838000.123456", 9});
  const std::string bytes = writer.bytes();
  for (std::size_t size = second + 1; size < bytes.size(); ++size)
    CHECK(read(bytes.substr(0, size)) ==
          letter_text(Gone{1}) + '\n' + std::to_string(second) + ": a letter that is cut off");
  CHECK(read("") == "0: no letters: not even a version");
  CHECK(read(bytes.substr(0, 1)).empty());
}

TEST_CASE("An unknown version or kind, and a letter that is not what its kind is, are faults") {
  LetterWriter writer;
  writer.add(Forget{"room", Seq{1}, true});
  const std::string bytes = writer.bytes();
  const auto with = [&](std::size_t at, char byte) {
    std::string changed = bytes;
    changed[at] = byte;
    return read(changed);
  };
  CHECK(with(0, 2) == "0: letters of version 2, of which nothing is known");
  CHECK(with(1, 99) == "1: a letter of the unknown kind 99");
  CHECK(with(1, 5) == "1: a letter of kind 5 that is damaged");
  CHECK(with(6, 60) == "1: a letter of kind 3 that is damaged");
  CHECK(with(6, 3) == "1: a letter of kind 3 that is damaged");
  CHECK(with(bytes.size() - 1, 2) == "1: a letter of kind 3 that is damaged");
}

TEST_CASE("Whatever one byte is changed to, there are letters or a fault inside the bytes") {
  SeededChoices choices(8);
  for (int round = 0; round < 5000; ++round) {
    std::string message;
    LetterWriter writer;
    for (int count = 0; count < 3; ++count) writer.add(random_letter(choices, message));
    std::string bytes = writer.bytes();
    bytes[choices.below(static_cast<std::uint32_t>(bytes.size()))] =
        static_cast<char>(choices.below(256));
    LetterReader reader(bytes);
    auto next = reader.next();
    while (next && next.value()) next = reader.next();
    if (!next) REQUIRE(next.error().offset < bytes.size());
  }
}

}  // namespace
}  // namespace syncrelay
