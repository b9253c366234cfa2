#include "syncrelay/base/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "syncrelay/base/apart.h"
#include "syncrelay/base/counter.h"
#include "syncrelay/base/printable.h"
#include "syncrelay/base/standard_streams.h"
#include "syncrelay/base/utf8.h"

namespace syncrelay {
namespace {

constexpr std::size_t kQueuedLines = 8192;
constexpr Duration kLeastPatience = std::chrono::milliseconds(500);
constexpr Duration kMostPatience = std::chrono::seconds(5);

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "info";
}

// Of syslog(3).
std::string_view priority_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "<7>";
    case LogLevel::info:
      return "<6>";
    case LogLevel::warning:
      return "<4>";
    case LogLevel::error:
      return "<3>";
  }
  return "<6>";
}

const char* pattern_of(LogFormat format) {
  switch (format) {
    case LogFormat::json:
      return R"({"ts":"%Y-%m-%dT%H:%M:%S.%f%z"%v)";
    case LogFormat::journal:
      return "%v";
    case LogFormat::text:
      break;
  }
  return "%Y-%m-%d %H:%M:%S.%e %l %v";
}

// What commands a terminal is escaped in all formats: a client's header must not be able to forge a
// line or color a terminal. So are all bytes beyond ASCII of what is not UTF-8, since a log line
// has to be.
void append_escaped(std::string& out, std::string_view text) {
  const bool utf8 = is_valid_utf8(text);
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 && !utf8) {
      char code[8];
      std::snprintf(code, sizeof code, "\\u%04x", byte);
      escaped += code;
    } else {
      if (c == '"' || c == '\\') escaped += '\\';
      escaped += c;
    }
  }
  out += printable(escaped);
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

bool needs_quotes(std::string_view text) {
  return text.empty() || text.find_first_of(" =\"\\") != std::string_view::npos;
}

struct AppendValue {
  std::string& out;
  bool always_quoted;

  void operator()(std::string_view text) const {
    if (always_quoted || needs_quotes(text)) {
      append_quoted(out, text);
    } else {
      append_escaped(out, text);
    }
  }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(double value) const {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.3f", value);
    out += digits;
  }
  void operator()(std::int64_t value) const { out += std::to_string(value); }
  void operator()(std::uint64_t value) const { out += std::to_string(value); }
};

std::string text_line(std::string_view message, Log::Fields fields) {
  std::string line(message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    std::visit(AppendValue{line, false}, field.value);
  }
  return line;
}

// The pattern puts `{"ts":"…"` in front.
std::string json_line(LogLevel level, std::string_view message, Log::Fields fields) {
  std::string line = ",\"level\":\"";
  line += name_of(level);
  line += "\",\"message\":";
  append_quoted(line, message);
  for (const LogField& field : fields) {
    line += ',';
    append_quoted(line, field.name);
    line += ':';
    std::visit(AppendValue{line, true}, field.value);
  }
  line += '}';
  return line;
}

// One write() a line, past stdio: a thread that is stuck in it holds no lock that the process's end
// needs. The writer thread only; `lost` is anybody's to read.
class StandardErrorSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  Counter lost;  // lines that standard error did not take: it is closed, or its disk is full

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (!write_all(STDERR_FILENO, {line.data(), line.size()})) lost.add();
  }
  void flush_() override {}
};

}  // namespace

// What the writer thread touches, and it alone once the log is gone.
struct Log::Backend {
  std::shared_ptr<StandardErrorSink> sink;
  std::shared_ptr<spdlog::async_logger> logger;
  std::shared_ptr<spdlog::details::thread_pool> pool;  // last: it ends before what it uses
};

bool is_journal(int descriptor, const char* journal_stream) {
  struct stat file {};
  if (journal_stream == nullptr || fstat(descriptor, &file) != 0) return false;
  return journal_stream == std::to_string(file.st_dev) + ':' + std::to_string(file.st_ino);
}

Log::Log(const Settings& settings) : backend_(std::make_shared<Backend>()), settings_(settings) {
  backend_->pool = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  backend_->sink = std::make_shared<StandardErrorSink>();
  backend_->logger = std::make_shared<spdlog::async_logger>(
      "syncrelay", backend_->sink, backend_->pool, spdlog::async_overflow_policy::overrun_oldest);
  backend_->logger->set_level(to_spdlog(settings.level));
  backend_->logger->set_pattern(pattern_of(settings.format));
}

// The pool's destructor waits for the writer thread, which may be stuck.
Log::~Log() {
  const TimePoint now = std::chrono::steady_clock::now();
  const TimePoint give_up =
      std::clamp(give_up_.value_or(now + kMostPatience), now + kLeastPatience, now + kMostPatience);
  run_apart([backend = std::move(backend_)]() mutable { backend.reset(); }).wait_until(give_up);
}

void Log::write(LogLevel level, std::string_view message, Fields fields) const {
  if (level < settings_.level) return;
  std::string line = settings_.format == LogFormat::json ? json_line(level, message, fields)
                                                         : text_line(message, fields);
  if (settings_.format == LogFormat::journal) line.insert(0, priority_of(level));
  backend_->logger->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

void Log::debug(std::string_view message, Fields fields) const {
  write(LogLevel::debug, message, fields);
}
void Log::info(std::string_view message, Fields fields) const {
  write(LogLevel::info, message, fields);
}
void Log::warning(std::string_view message, Fields fields) const {
  write(LogLevel::warning, message, fields);
}
void Log::error(std::string_view message, Fields fields) const {
  write(LogLevel::error, message, fields);
}

std::uint64_t Log::dropped() const {
  return backend_->pool->overrun_counter() + backend_->sink->lost.get();
}

}  // namespace syncrelay
