#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace syncrelay {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { text, json };

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

// Writes lines to standard error: `time level message name=value …`, or one JSON object a line.
// Thread-safe. A line is handed to a writer thread through a bounded queue, so that a standard
// error that nobody reads cannot stall the relay: at the bound the oldest lines go, and dropped()
// counts them.
class Log {
 public:
  struct Settings {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
  };

  explicit Log(const Settings& settings);
  ~Log();  // writes out what is queued
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  using Fields = std::initializer_list<LogField>;
  void debug(std::string_view message, Fields fields = {}) const;
  void info(std::string_view message, Fields fields = {}) const;
  void warning(std::string_view message, Fields fields = {}) const;
  void error(std::string_view message, Fields fields = {}) const;

  std::uint64_t dropped() const;

 private:
  void write(LogLevel level, std::string_view message, Fields fields) const;

  struct Backend;
  std::unique_ptr<Backend> backend_;
  Settings settings_;
};

}  // namespace syncrelay
