#include "server_usage.h"

#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>

namespace syncrelay::bench {
namespace {

// schedstat counts in nanoseconds, where stat counts in ticks of 10 ms.
double read_cpu_us(const std::string& process) {
  double total_ns = 0;
  for (const auto& task : std::filesystem::directory_iterator(process + "/task")) {
    double on_cpu_ns = 0;
    std::ifstream(task.path() / "schedstat") >> on_cpu_ns;
    total_ns += on_cpu_ns;
  }
  return total_ns / 1000;
}

std::uint64_t read_rss_bytes(const std::string& process) {
  std::ifstream rollup(process + "/smaps_rollup");
  rollup.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  std::string label;
  std::uint64_t kib = 0;
  if (!(rollup >> label >> kib) || label != "Rss:") {
    throw std::runtime_error("no Rss in " + process + "/smaps_rollup: is the server gone?");
  }
  return kib * 1024;
}

}  // namespace

ServerUsage ServerUsage::of(const std::vector<pid_t>& pids) {
  ServerUsage usage{};
  for (pid_t pid : pids) {
    std::string process = "/proc/" + std::to_string(pid);
    usage.cpu_us += read_cpu_us(process);
    usage.rss_bytes += read_rss_bytes(process);
  }
  return usage;
}

}  // namespace syncrelay::bench
