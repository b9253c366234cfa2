#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "syncrelay/base/clock.h"

namespace syncrelay {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
// journal: the priority in front, as systemd's journal reads it (sd-daemon(3)), and no time, which
// that has itself.
enum class LogFormat : std::uint8_t { text, json, journal };

// Whether this descriptor is the journal that $JOURNAL_STREAM names as DEVICE:INODE; null: unset.
bool is_journal(int descriptor, const char* journal_stream);

// One named value of a log line.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool> value;

  LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
  LogField(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, bool v) : name(n), value(v) {}
  LogField(std::string_view n, double v) : name(n), value(v) {}
  LogField(std::string_view n, int v) : name(n), value(std::int64_t{v}) {}
  LogField(std::string_view n, std::int64_t v) : name(n), value(v) {}
  LogField(std::string_view n, std::uint64_t v) : name(n), value(v) {}
};

// Writes lines to standard error: `time level message name=value …`, one JSON object a line, or
// `<priority>message name=value …`.
// Thread-safe. A line is handed to a writer thread through a bounded queue, so that a standard
// error that nobody reads cannot stall the relay: at the bound the oldest lines go, and dropped()
// counts them. Nor can it keep the relay from stopping: a writer thread that is stuck is left
// behind.
//
// Rejected: to write without blocking. O_NONBLOCK would be set for everybody who shares the stream
// (a terminal's shell), and a pipe that poll() calls writable may be full by the time of the write.
class Log {
 public:
  struct Settings {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
  };

  explicit Log(const Settings& settings);
  ~Log();  // writes out what is queued; see give_up_at()
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  using Fields = std::initializer_list<LogField>;
  void debug(std::string_view message, Fields fields = {}) const;
  void info(std::string_view message, Fields fields = {}) const;
  void warning(std::string_view message, Fields fields = {}) const;
  void error(std::string_view message, Fields fields = {}) const;

  // Lines that will never be written: at the queue's bound, or because standard error failed.
  std::uint64_t dropped() const;

  // How long the destructor waits for a standard error that is slow: until then, but for at least
  // 500 ms and at most 5 s. Not thread-safe.
  void give_up_at(TimePoint time) { give_up_ = time; }

 private:
  void write(LogLevel level, std::string_view message, Fields fields) const;

  struct Backend;
  std::shared_ptr<Backend> backend_;
  Settings settings_;
  std::optional<TimePoint> give_up_;
};

}  // namespace syncrelay
