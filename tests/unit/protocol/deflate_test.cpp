// Deflating and inflating, each against zlib's own other side.

#include <doctest/doctest.h>

#include <random>

#include "support/inflated.h"
#include "syncrelay/protocol/deflater.h"
#include "syncrelay/protocol/frame.h"
#include "syncrelay/protocol/inflater.h"

namespace syncrelay {
namespace {

constexpr std::size_t kLimit = 1 << 20;

std::string noise(std::size_t size) {
  std::mt19937 generator(static_cast<std::uint32_t>(size));
  std::string text(size, ' ');
  for (char& c : text) c = static_cast<char>(generator());
  return text;
}

std::string json(std::size_t count) {
  std::string text = "[";
  for (std::size_t number = 0; number < count; ++number)
    text += R"({"number":)" + std::to_string(number * number) + R"(,"name":"some text"},)";
  return text + "0]";
}

const std::vector<std::string> kTexts = {
    "",         "a",        std::string(126, 'x'), json(10),
    json(5000), noise(100), noise(70'000),         std::string(300'000, ' ')};

std::string framed(const std::string& text) {
  std::string frames(wire_size(text.size()), '\0');
  MessageWriter(reinterpret_cast<std::byte*>(frames.data()), text.size()).write(text);
  return frames;
}

// What of it is wrong.
CloseCause fault(std::string_view payload, std::size_t limit = kLimit) {
  Inflater inflater;
  const auto text = inflater.inflate(payload, limit);
  REQUIRE_FALSE(text.ok());
  return text.error();
}

TEST_CASE("What is deflated inflates to what it was, each without what came before") {
  Deflater deflater;
  for (int round = 0; round < 2; ++round) {
    for (const std::string& text : kTexts) {
      CAPTURE(text.size());
      const std::string frames = framed(text);
      const std::string payload(*deflater.deflate_message(as_bytes(frames)));
      REQUIRE(testing::inflated(payload) == text);
    }
  }
}

TEST_CASE("Deflating gives up where it takes more than may be") {
  Deflater deflater;
  for (const std::string& text : kTexts) {
    CAPTURE(text.size());
    const std::string frames = framed(text);
    const std::size_t size = deflater.deflate_message(as_bytes(frames))->size();
    for (const std::size_t most : {size, size + 1, size + 10'000, SIZE_MAX - 1}) {
      const auto payload = deflater.deflate_message(as_bytes(frames), most);
      REQUIRE(payload);
      REQUIRE(testing::inflated(std::string(*payload)) == text);
    }
    for (const std::size_t less : {std::size_t{1}, size / 2, size}) {
      if (less > 0) REQUIRE_FALSE(deflater.deflate_message(as_bytes(frames), size - less));
    }
  }
}

TEST_CASE("What is deflated in parts inflates to all of them, one behind the other") {
  Deflater deflater;
  std::string all;
  std::string text;
  for (const std::string& part : kTexts) {
    deflater.begin();
    deflater.add(std::string_view(part).substr(0, part.size() / 3));
    deflater.add(std::string_view(part).substr(part.size() / 3));
    all += deflater.end();
    REQUIRE(all.ends_with(Deflater::kBlockEnd));
    text += part;
  }
  all.resize(all.size() - Deflater::kBlockEnd.size());
  CHECK(testing::inflated(all) == text);
}

TEST_CASE("What a client deflates is inflated up to the limit") {
  Inflater inflater;
  for (const std::string& text : kTexts) {
    CAPTURE(text.size());
    const std::string payload = testing::deflated(text);
    const auto inflated = inflater.inflate(payload, text.size());
    REQUIRE(inflated.ok());
    REQUIRE(inflated.value() == text);
    if (!text.empty()) CHECK(fault(payload, text.size() - 1) == CloseCause::message_too_large);
  }
}

TEST_CASE("A bomb is found at the limit") {
  const std::string bomb = testing::deflated(std::string(100 << 20, ' '));
  CHECK(bomb.size() < 200'000);
  CHECK(fault(bomb, 64 * 1024) == CloseCause::message_too_large);
}

TEST_CASE("What does not inflate, or ends too early, is invalid") {
  const std::string payload = testing::deflated(json(100));
  for (std::size_t size = 0; size < payload.size(); ++size) {
    Inflater inflater;
    const auto text = inflater.inflate(std::string_view(payload).substr(0, size), kLimit);
    CHECK_FALSE(text.ok());
  }
  CHECK(fault("") == CloseCause::invalid_deflate);
  CHECK(fault("\xff") == CloseCause::invalid_deflate);
  CHECK(fault("plain text") == CloseCause::invalid_deflate);
  CHECK(fault(payload + "\x07") == CloseCause::invalid_deflate);
}

// RFC 7692 section 7.2.3.
TEST_CASE("The examples of the RFC inflate") {
  using namespace std::literals;
  Inflater inflater;
  const auto text = [&](std::string_view payload) {
    const auto inflated = inflater.inflate(payload, kLimit);
    return inflated ? std::string(inflated.value()) : "invalid";
  };
  CHECK(text("\xf2\x48\xcd\xc9\xc9\x07\x00"sv) == "Hello");
  CHECK(text("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"sv) == "Hello");
  CHECK(text("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"sv) == "Hello");
  CHECK(text("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"sv) == "Hello");
  CHECK(text("\x00"sv).empty());
}

}  // namespace
}  // namespace syncrelay
