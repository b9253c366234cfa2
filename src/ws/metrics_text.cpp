#include "metrics_text.h"

namespace syncrelay {
namespace {

std::uint64_t microseconds(Duration duration) {
  using std::chrono::microseconds;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<microseconds>(duration).count());
}

}  // namespace

void add_histogram(Page& page, std::string_view name, std::string_view help,
                   const std::vector<const LatencyHistogram*>& parts) {
  page.header(name, "histogram", help);
  const std::string metric(name);
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  for (std::size_t bucket = 0; bucket <= LatencyHistogram::kBounds.size(); ++bucket) {
    for (const LatencyHistogram* part : parts) count += part->bucket(bucket);
    const std::string bound = bucket < LatencyHistogram::kBounds.size()
                                  ? bound_label(LatencyHistogram::kBounds[bucket])
                                  : "+Inf";
    page.sample(metric + "_bucket", label("le", bound), count);
  }
  for (const LatencyHistogram* part : parts) sum += part->sum_microseconds();
  page.sample(metric + "_sum", {}, seconds(sum));
  page.sample(metric + "_count", {}, count);
}

void add_cluster(Page& page, const ClusterStats& cluster, TimePoint now) {
  page.single("cluster_reachable", "gauge",
              "1 while the cluster's Redis takes what is appended, as far as is known; else 0.",
              cluster.reachable() ? 1 : 0);
  page.header("cluster_lag_seconds", "gauge",
              "For how long this relay has not had all of the cluster's log; 0 while it has.");
  page.sample("cluster_lag_seconds", {}, seconds(microseconds(cluster.lag.at(now))));
  page.single("cluster_relays", "gauge",
              "Relays of the cluster that have given a sign of life, as it was heard last.",
              cluster.relays.get());
  page.single("cluster_entries_total", "counter", "Entries of the cluster's log that were read.",
              cluster.entries.get());
  page.single("cluster_appends_total", "counter",
              "Entries that this relay has appended to it, each of one letter or more.",
              cluster.appends.get());
  page.single("cluster_letters_under_way", "gauge",
              "Letters of this relay that have not come back from it.",
              cluster.letters_under_way.get());
  page.single("cluster_bytes_under_way", "gauge", "Bytes of these letters.",
              cluster.bytes_under_way.get());
  add_histogram(page, "cluster_round_trip_seconds",
                "From the submission of a letter of this relay until it is back and applied.",
                {&cluster.round_trip});
  page.single("cluster_epoch_changes_total", "counter",
              "Times that the log went on under another epoch, or with another state.",
              cluster.epoch_changes.get());
  page.header("cluster_epochs_founded_total", "counter",
              "Epochs of the cluster that this relay has founded, by why the one before ended.");
  add_each(page, "cluster_epochs_founded_total", "why", kFoundingCauseNames,
           values_of(cluster.founded));
  page.header("cluster_checkpoints_total", "counter",
              "Checkpoints that it was this relay's turn to write, by outcome.");
  add_each(page, "cluster_checkpoints_total", "outcome", kCheckpointOutcomeNames,
           values_of(cluster.checkpoints));
}

}  // namespace syncrelay
