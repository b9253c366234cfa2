#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "syncrelay/metrics/cluster_stats.h"
#include "syncrelay/metrics/stats.h"

// What the parts of the metrics page are written with.
namespace syncrelay {

// The page of metrics while it is written, in Prometheus' text format.
class Page {
 public:
  void header(std::string_view name, std::string_view type, std::string_view help) {
    text_.append("# HELP syncrelay_").append(name).append(" ").append(help);
    text_.append("\n# TYPE syncrelay_").append(name).append(" ").append(type).append("\n");
  }

  // `labels` without braces: reason="lag"
  void sample(std::string_view name, std::string_view labels, std::string_view value) {
    text_.append("syncrelay_").append(name);
    if (!labels.empty()) text_.append("{").append(labels).append("}");
    text_.append(" ").append(value).append("\n");
  }
  void sample(std::string_view name, std::string_view labels, std::uint64_t value) {
    sample(name, labels, std::to_string(value));
  }

  void single(std::string_view name, std::string_view type, std::string_view help,
              std::uint64_t value) {
    header(name, type, help);
    sample(name, {}, value);
  }

  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

inline std::string label(std::string_view name, std::string_view value) {
  return std::string(name) + "=\"" + std::string(value) + '"';
}

// As the label of a bucket: 0.00005 is "5e-05".
inline std::string bound_label(std::uint64_t microseconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", static_cast<double>(microseconds) / 1e6);
  return text;
}

inline std::string seconds(std::uint64_t microseconds) {
  constexpr std::uint64_t kPerSecond = 1'000'000;
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%06u",
                static_cast<unsigned>(microseconds % kPerSecond));
  return std::to_string(microseconds / kPerSecond) + fraction;
}

inline std::string_view label_text(std::string_view name) {
  return name;
}

template <typename Row>
std::string_view label_text(const Row& row) {
  return row.name;
}

// A sample for each of `names`, with what `get` has by its index; `labels` are those before its
// own, each with a comma behind it.
template <typename Names, typename Get>
void add_each(Page& page, std::string_view metric, std::string_view key, const Names& names,
              Get get, const std::string& labels = {}) {
  for (std::size_t index = 0; index < names.size(); ++index)
    page.sample(metric, labels + label(key, label_text(names[index])), get(index));
}

template <typename Counters>
auto values_of(const Counters& counters) {
  return [&counters](std::size_t index) { return counters[index].get(); };
}

// Of all `parts` together.
void add_histogram(Page& page, std::string_view name, std::string_view help,
                   const std::vector<const LatencyHistogram*>& parts);

// Of a relay of a cluster.
void add_cluster(Page& page, const ClusterStats& cluster, TimePoint now);

}  // namespace syncrelay
