#include "syncrelay/cli/bench_report.h"

#include <cstdio>

#include "syncrelay/cli/table.h"
#include "syncrelay/json/json_text.h"

namespace syncrelay {
namespace {

using std::chrono::nanoseconds;

constexpr double kBusy = 0.8;                                // of a core, or of all
constexpr std::uint64_t kMuchOfTheLog = 8ULL * 1024 * 1024;  // half of --log-bytes by default
constexpr std::uint64_t kEventBytes = 120;                   // beside its data

std::string printed(const char* pattern, double value) {
  char text[40];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

double in_seconds(nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

double in_milliseconds(nanoseconds time) {
  return in_seconds(time) * 1e3;
}

double per_second(std::uint64_t count, nanoseconds time) {
  return time > nanoseconds(0) ? static_cast<double>(count) / in_seconds(time) : 0;
}

std::string shown(nanoseconds time) {
  return printed("%.2f ms", in_milliseconds(time));
}

std::string percent(double part) {
  return printed("%.0f %%", part * 100);
}

}  // namespace

void add_warnings(BenchResult& result) {
  const auto warn = [&result](std::string text) { result.warnings.push_back(std::move(text)); };
  if (result.own_cpu >= kBusy) {
    warn("the bench itself took " + percent(result.own_cpu) +
         " of a core: what it measures is itself, too; have fewer clients or a lower --rate, or "
         "run it on another machine");
  } else if (result.machine_cpu >= kBusy) {
    warn("the machine was busy (" + percent(result.machine_cpu) +
         " of all cores): relay and bench share it");
  }
  if (result.events * (result.wish.size + kEventBytes) > kMuchOfTheLog) {
    warn(
        "these events took much of the relay's window (--log-bytes): clients of yours that were "
        "away meanwhile may get snapshots");
  }
  if (result.lost > 0) {
    warn(std::to_string(result.lost) + " clients were lost on the way" +
         (result.why_lost.empty() ? "" : ": " + result.why_lost));
  }
  if (result.skipped > 0) {
    warn("the relay skipped " + std::to_string(result.skipped) +
         " deliveries: clients of the bench were too slow for it");
  }
}

std::string bench_table(const BenchResult& result, bool color) {
  Table table({{"what"}, {"value", Table::Align::right}});
  table.add({"clients", std::to_string(result.clients)});
  table.add({"events", std::to_string(result.events)});
  table.add({"bytes of data each", std::to_string(result.wish.size)});
  table.add({"deliveries", std::to_string(result.deliveries)});
  if (result.missing > 0) table.add({"missing", std::to_string(result.missing)});
  table.add({"delay p50", shown(result.p50)});
  table.add({"delay p90", shown(result.p90)});
  table.add({"delay p99", shown(result.p99)});
  table.add({"delay max", shown(result.most)});
  table.add({"seconds", printed("%.2f", in_seconds(result.took))});
  table.add({"events/s", printed("%.0f", per_second(result.events, result.took))});
  table.add({"deliveries/s", printed("%.0f", per_second(result.deliveries, result.took))});
  table.add({"CPU of the bench, of a core", percent(result.own_cpu)});
  table.add({"CPU of the machine", percent(result.machine_cpu)});
  return table.text(color);
}

std::string bench_json(const BenchResult& result) {
  std::string out = "{";
  const auto add = [&out](std::string_view name, const std::string& value) {
    if (out.size() > 1) out += ',';
    out.append("\"").append(name).append("\":").append(value);
  };
  add("clients", std::to_string(result.clients));
  add("events", std::to_string(result.events));
  add("size", std::to_string(result.wish.size));
  add("rate", std::to_string(result.wish.rate));
  add("deliveries", std::to_string(result.deliveries));
  add("missing", std::to_string(result.missing));
  add("skipped", std::to_string(result.skipped));
  add("refused", std::to_string(result.refused));
  add("lost", std::to_string(result.lost));
  add("seconds", printed("%.3f", in_seconds(result.took)));
  add("events_per_second", printed("%.1f", per_second(result.events, result.took)));
  add("deliveries_per_second", printed("%.1f", per_second(result.deliveries, result.took)));
  add("delay_ms", R"({"p50":)" + printed("%.3f", in_milliseconds(result.p50)) + R"(,"p90":)" +
                      printed("%.3f", in_milliseconds(result.p90)) + R"(,"p99":)" +
                      printed("%.3f", in_milliseconds(result.p99)) + R"(,"max":)" +
                      printed("%.3f", in_milliseconds(result.most)) + '}');
  add("cpu", R"({"bench":)" + printed("%.3f", result.own_cpu) + R"(,"machine":)" +
                 printed("%.3f", result.machine_cpu) + '}');
  add("stopped", result.stopped ? "true" : "false");
  std::string warnings = "[";
  for (const std::string& warning : result.warnings)
    warnings.append(warnings.size() > 1 ? "," : "").append(json_string(warning));
  add("warnings", warnings + ']');
  return out + '}';
}

}  // namespace syncrelay
