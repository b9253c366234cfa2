#include "syncrelay/door/body_reader.h"

#include <doctest/doctest.h>

#include <string>

namespace syncrelay {
namespace {

HttpRequest request_with(std::string_view head) {
  return HttpRequest::parse(head).value();
}

Result<BodyReader, HttpFault> reader_of(const std::string& fields, std::size_t max = 100) {
  static std::string head;
  head = "POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
  return BodyReader::of(request_with(head), max);
}

// What is read of the bytes, given at once and one by one; empty text: it is not over.
std::string read(const std::string& fields, const std::string& bytes) {
  std::string all = bytes;
  BodyReader at_once = reader_of(fields).value();
  if (at_once.take(all)) return "fault";
  BodyReader by_byte = reader_of(fields).value();
  std::string input;
  for (const char byte : bytes) {
    input += byte;
    if (by_byte.take(input)) return "fault";
  }
  CHECK(by_byte.over() == at_once.over());
  if (!at_once.over()) return "not over";
  CHECK(all == input);
  const std::string body = at_once.take_body();
  CHECK(by_byte.take_body() == body);
  return body + '|' + all;
}

TEST_CASE("A body ends where its length says, and what follows stays") {
  CHECK(read("", "next") == "|next");
  CHECK(read("Content-Length: 0\r\n", "next") == "|next");
  CHECK(read("Content-Length: 5\r\n", "12345next") == "12345|next");
  CHECK(read("Content-Length: 5\r\n", "1234") == "not over");
}

TEST_CASE("A body in chunks ends with an empty one and its trailer") {
  const std::string chunked = "Transfer-Encoding: Chunked\r\n";
  CHECK(read(chunked, "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nT: 1\r\n\r\nnext") ==
        "abc0123456789|next");
  CHECK(read(chunked, "0\r\n\r\n") == "|");
  CHECK(read(chunked, "3\r\nabc\r\n0\r\n") == "not over");
  for (const char* bad : {"3\nabc", "\r\n", "g\r\n", "3\r\nabcd\r\n", "-3\r\n", " 3\r\n"})
    CHECK(read(chunked, bad) == "fault");
}

TEST_CASE("A body that is too large is refused before it is kept") {
  CHECK(reader_of("Content-Length: 101\r\n").error().status == 413);
  BodyReader reader = reader_of("Transfer-Encoding: chunked\r\n").value();
  std::string input = "60\r\n" + std::string(96, 'x') + "\r\n5\r\n";
  CHECK(reader.take(input)->status == 413);
}

TEST_CASE("A length that can be read in two ways is refused") {
  for (const char* fields :
       {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 1,1\r\n",
        "Content-Length: 1e1\r\n", "Content-Length: 1234567890123456789\r\n"}) {
    CHECK(reader_of(fields).error().status == 400);
  }
  CHECK(reader_of("Transfer-Encoding: gzip\r\n").error().status == 501);
  CHECK(BodyReader::of(request_with("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 9)
            .error()
            .status == 400);
}

}  // namespace
}  // namespace syncrelay
