#include "syncrelay/ipc/curve_verdict.h"

#include <doctest/doctest.h>

namespace syncrelay {
namespace {

using Verdict = CurveVerdict::Verdict;

const std::string kStart = std::string(64, '\xff') + "\x04\x0c\x07WELCOMEabcd";

std::string long_frame(const std::string& body) {
  return std::string("\x06\0\0\0\0\0\0\0", 8) + static_cast<char>(body.size()) + body;
}

std::string short_frame(const std::string& body) {
  return std::string("\x04") + static_cast<char>(body.size()) + body;
}

TEST_CASE("The verdict is what the relay's last command says, however the bytes are cut") {
  for (const auto& frame : {short_frame, long_frame}) {
    for (const auto& [body, expected] : {std::pair{std::string("\x05READYxyz"), Verdict::let_in},
                                         {std::string("\x05") + "ERROR\x03"
                                                                "400",
                                          Verdict::refused},
                                         {std::string("\x04READY"), Verdict::none},
                                         {std::string(), Verdict::none}}) {
      const std::string bytes = kStart + frame(body);
      for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
        CurveVerdict verdict;
        std::size_t at = 0;
        for (; at + piece < bytes.size(); at += piece)
          REQUIRE(verdict.add(std::string_view(bytes).substr(at, piece)) == Verdict::none);
        CHECK(verdict.add(std::string_view(bytes).substr(at)) == expected);
      }
    }
  }
}

TEST_CASE("Once there it stays") {
  CurveVerdict verdict;
  CHECK(verdict.add(kStart + short_frame("\x05READY") +
                    short_frame("\x05"
                                "ERROR")) == Verdict::let_in);
  CHECK(verdict.add(short_frame("\x05"
                                "ERROR")) == Verdict::let_in);
}

}  // namespace
}  // namespace syncrelay
