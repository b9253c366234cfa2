#include "syncrelay/base/log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <rapidjson/document.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iterator>
#include <thread>

namespace syncrelay {
namespace {

// What `write` leaves on standard error.
std::string logged(const Log::Settings& settings, const std::function<void(const Log&)>& write) {
  std::FILE* const file = std::tmpfile();
  REQUIRE(file != nullptr);
  std::fflush(stderr);
  const int saved = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  { write(Log(settings)); }
  std::fflush(stderr);
  dup2(saved, STDERR_FILENO);
  close(saved);
  std::rewind(file);
  std::string text;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

constexpr Log::Settings kText{LogLevel::info, LogFormat::text};
constexpr Log::Settings kJson{LogLevel::info, LogFormat::json};

// The line without its time.
std::string text_line(const std::function<void(const Log&)>& write) {
  const std::string line = logged(kText, write);
  constexpr std::size_t kTimeSize = sizeof "2025-11-22 12:00:00.123";
  return line.size() < kTimeSize ? line : line.substr(kTimeSize);
}

TEST_CASE("A text line shows level, message and fields") {
  CHECK(text_line([](const Log& log) {
          log.warning("client gone", {{"client", std::uint64_t{7}},
                                      {"left", -3},
                                      {"seconds", 1.5},
                                      {"clean", true},
                                      {"reason", "stalled"}});
        }) == "warning client gone client=7 left=-3 seconds=1.500 clean=true reason=stalled\n");
}

TEST_CASE("A line for the journal has its priority in front, and no time") {
  const Log::Settings settings{LogLevel::debug, LogFormat::journal};
  CHECK(logged(settings, [](const Log& log) {
          log.debug("a");
          log.info("b", {{"client", 7}});
          log.warning("c");
          log.error("d", {{"why", "x\n<0>forged"}});
        }) == "<7>a\n<6>b client=7\n<4>c\n<3>d why=x\\u000a<0>forged\n");
}

TEST_CASE("Standard error is the journal where JOURNAL_STREAM names its file, and nowhere else") {
  struct stat file {};
  const int descriptor = open("/dev/null", O_WRONLY | O_CLOEXEC);
  REQUIRE(fstat(descriptor, &file) == 0);
  const std::string name = std::to_string(file.st_dev) + ':' + std::to_string(file.st_ino);
  CHECK(is_journal(descriptor, name.c_str()));
  CHECK_FALSE(is_journal(descriptor, (name + "0").c_str()));
  CHECK_FALSE(is_journal(descriptor, ""));
  CHECK_FALSE(is_journal(descriptor, nullptr));
  close(descriptor);
  CHECK_FALSE(is_journal(descriptor, name.c_str()));
}

TEST_CASE("A text value with spaces, quotes or nothing in it is quoted") {
  CHECK(text_line([](const Log& log) {
          log.info(
              "m",
              {{"a", "two words"}, {"b", ""}, {"c", "say \"so\""}, {"d", "x=y"}, {"e", "a\\b"}});
        }) == R"(info m a="two words" b="" c="say \"so\"" d="x=y" e="a\\b")"
              "\n");
}

TEST_CASE("No value forges a line or sends an escape to the terminal") {
  const std::string hostile = "a\nerror forged\r\x1b[31mred\x7f\x01";
  for (const Log::Settings& settings : {kText, kJson}) {
    const std::string lines = logged(settings, [&](const Log& log) {
      log.info("m", {{"origin", hostile}});
    });
    CHECK(lines.find("\\u000aerror forged\\u000d\\u001b[31mred\\u007f\\u0001") !=
          std::string::npos);
    CHECK(lines.find('\n') == lines.size() - 1);
    CHECK(lines.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("Neither does a control character beyond ASCII, nor one that turns text around") {
  const std::string hostile =
      "\xc2\x9b"
      "31m\xe2\x80\xaetxt.exe\xe2\x81\xa6\xe2\x80\xa8"
      "forged\xc3\xa9";
  for (const Log::Settings& settings : {kText, kJson}) {
    const std::string lines = logged(settings, [&](const Log& log) {
      log.info("m", {{"command", hostile}});
    });
    CHECK(lines.find("\\u009b31m\\u202etxt.exe\\u2066\\u2028forged\xc3\xa9") != std::string::npos);
  }
}

TEST_CASE("A JSON line is one object with the values as they were") {
  const std::string hostile("q\"b\\n\n\x1f\x00z\xc3\xa9", 12);
  const std::string line = logged(kJson, [&](const Log& log) {
    log.error(
        "it \"failed\"",
        {{"why", hostile}, {"count", std::uint64_t{18'446'744'073'709'551'615U}}, {"on", false}});
  });
  rapidjson::Document document;
  document.Parse(line.data(), line.size());
  REQUIRE_MESSAGE(!document.HasParseError(), line);
  CHECK(document["level"] == "error");
  CHECK(document["message"] == "it \"failed\"");
  CHECK(std::string(document["why"].GetString(), document["why"].GetStringLength()) == hostile);
  CHECK(document["count"].GetUint64() == 18'446'744'073'709'551'615U);
  CHECK(document["on"].IsFalse());
  CHECK(document["ts"].IsString());
  CHECK(line.find('\n') == line.size() - 1);
}

TEST_CASE("Lines below the level are not written, the others in their order") {
  const std::string lines = logged({LogLevel::warning, LogFormat::text}, [](const Log& log) {
    log.debug("first");
    log.info("second");
    log.warning("third");
    log.error("fourth");
  });
  CHECK(lines.find("first") == std::string::npos);
  CHECK(lines.find("second") == std::string::npos);
  CHECK(lines.find("third") < lines.find("fourth"));
  CHECK(lines.find("fourth") != std::string::npos);
}

TEST_CASE("What is queued when the log ends is still written") {
  const std::string lines = logged(kText, [](const Log& log) {
    for (int number = 0; number < 1000; ++number) log.info("line", {{"number", number}});
  });
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 1000);
  CHECK(lines.find("number=999\n") != std::string::npos);
}

std::size_t threads() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<std::size_t>(std::distance(begin(tasks), end(tasks)));
}

bool becomes_true(const std::function<bool()>& condition) {
  const SystemClock clock;
  const TimePoint deadline = clock.now() + std::chrono::seconds(20);
  while (!condition() && clock.now() < deadline) std::this_thread::yield();
  return condition();
}

// Standard error while it lives: a pipe with no room. At its end it breaks, and what was left
// behind in a write goes on to its end.
class FullPipe {
 public:
  FullPipe() : saved_(dup(STDERR_FILENO)), threads_(threads()) {
    std::signal(SIGPIPE, SIG_IGN);
    REQUIRE(pipe(ends_.data()) == 0);
    const int size = fcntl(ends_[1], F_SETPIPE_SZ, 4096);
    const std::string filling(static_cast<std::size_t>(size), '.');
    REQUIRE(::write(ends_[1], filling.data(), filling.size()) == size);
    dup2(ends_[1], STDERR_FILENO);
  }
  ~FullPipe() {
    close(ends_[0]);
    CHECK(becomes_true([this] { return threads() <= threads_; }));
    dup2(saved_, STDERR_FILENO);
    close(ends_[1]);
    close(saved_);
  }

 private:
  int saved_;
  std::size_t threads_;
  std::array<int, 2> ends_{};
};

TEST_CASE("Beyond the bound the oldest lines go, and are counted") {
  const FullPipe pipe;
  Log log({});
  log.give_up_at({});
  for (int number = 0; number < 9'000; ++number) log.info("line");
  CHECK(log.dropped() >= 9'000 - 8'192 - 1);
  CHECK(log.dropped() <= 9'000 - 8'192);
}

TEST_CASE("A standard error that nobody reads does not keep the log from its end") {
  const FullPipe pipe;
  const SystemClock clock;
  const TimePoint begin = clock.now();
  {
    Log log({});
    log.give_up_at(begin);
    for (int number = 0; number < 9'000; ++number) log.info("line");
  }
  CHECK(clock.now() - begin >= std::chrono::milliseconds(500));
}

TEST_CASE("Lines that standard error refuses are counted") {
  const int saved = dup(STDERR_FILENO);
  const int full = open("/dev/full", O_WRONLY);
  dup2(full, STDERR_FILENO);
  {
    const Log log({});
    for (int number = 0; number < 10; ++number) log.info("line");
    CHECK(becomes_true([&log] { return log.dropped() == 10; }));
  }
  dup2(saved, STDERR_FILENO);
  close(full);
  close(saved);
}

}  // namespace
}  // namespace syncrelay
