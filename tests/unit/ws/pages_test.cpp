#include "syncrelay/ws/pages.h"

#include <doctest/doctest.h>
#include <rapidjson/document.h>

#include <chrono>
#include <map>
#include <sstream>

#include "support/fake_clock.h"

namespace syncrelay {
namespace {

using testing::FakeClock;

// Two shards and a relay to look at.
struct StatusBench {
  FakeClock clock;
  Log log{{}};
  RelayStats relay;
  ShardStats first;
  ShardStats second;
  Status status{"1.2.3", "00c0ffee00c0ffee", clock.now(), clock, log,
                relay,   {&first, &second},  {},          {}};

  // Samples by name with labels.
  std::map<std::string, std::string> samples() const {
    std::map<std::string, std::string> samples;
    std::istringstream lines(metrics_page(status).body);
    for (std::string line; std::getline(lines, line);) {
      if (line.empty() || line[0] == '#') continue;
      const std::size_t space = line.rfind(' ');
      const bool is_new = samples.emplace(line.substr(0, space), line.substr(space + 1)).second;
      CHECK_MESSAGE(is_new, line);
    }
    return samples;
  }

  std::uint64_t sample(const std::string& name) const {
    const auto all = samples();
    REQUIRE_MESSAGE(all.count(name) == 1, name);
    return std::stoull(all.at(name));
  }
};

TEST_CASE_FIXTURE(StatusBench,
                  "Health tells status, clients, position, epoch, uptime and version") {
  first.clients.set(2);
  second.clients.set(1);
  relay.seq.set(42);
  clock.advance(std::chrono::milliseconds(12'340));
  const HttpResponse response = health_page(status);
  CHECK(response.status == 200);
  CHECK(response.content_type == "application/json");
  CHECK(
      response.body ==
      R"({"status":"ok","clients":3,"seq":42,"epoch":"00c0ffee00c0ffee","uptime":12.3,"version":"1.2.3"})"
      "\n");
}

TEST_CASE_FIXTURE(StatusBench, "Health is 503 while stopping") {
  status.stopping = true;
  const HttpResponse response = health_page(status);
  CHECK(response.status == 503);
  rapidjson::Document document;
  document.Parse(response.body.c_str());
  REQUIRE_FALSE(document.HasParseError());
  CHECK(document["status"] == "stopping");
}

TEST_CASE_FIXTURE(StatusBench, "Health of a relay of a cluster says whether its Redis is there") {
  ClusterStats cluster;
  status.cluster = &cluster;
  CHECK(
      health_page(status).body.starts_with(R"({"status":"ok","cluster":"unreachable","clients")"));
  CHECK(health_page(status).status == 200);
  cluster.settled = true;
  CHECK(health_page(status).body.starts_with(R"({"status":"ok","cluster":"ok","clients")"));
  cluster.refused = true;
  CHECK(
      health_page(status).body.starts_with(R"({"status":"ok","cluster":"unreachable","clients")"));
}

TEST_CASE_FIXTURE(StatusBench, "Health is 503 while the relay catches up, and knows no position") {
  ClusterStats cluster;
  status.cluster = &cluster;
  status.catching_up = true;
  const HttpResponse response = health_page(status);
  CHECK(response.status == 503);
  CHECK(
      response.body ==
      R"({"status":"catching_up","cluster":"unreachable","clients":0,"uptime":0.0,"version":"1.2.3"})"
      "\n");
}

TEST_CASE_FIXTURE(StatusBench, "Metrics tell of a cluster where there is one") {
  CHECK(metrics_page(status).body.find("syncrelay_cluster") == std::string::npos);
  ClusterStats cluster;
  status.cluster = &cluster;
  cluster.settled = true;
  cluster.lag.begin(clock.now());
  cluster.round_trip.observe(300, 2);
  counter(cluster.checkpoints, CheckpointOutcome::late).add(3);
  counter(cluster.founded, FoundingCause::missing).add(2);
  clock.advance(std::chrono::milliseconds(4500));
  const auto all = samples();
  CHECK(all.at("syncrelay_cluster_reachable") == "1");
  CHECK(all.at("syncrelay_cluster_lag_seconds") == "4.500000");
  CHECK(all.at("syncrelay_cluster_round_trip_seconds_count") == "2");
  CHECK(all.at("syncrelay_cluster_round_trip_seconds_sum") == "0.000600");
  CHECK(all.at(R"(syncrelay_cluster_checkpoints_total{outcome="late"})") == "3");
  CHECK(all.at(R"(syncrelay_cluster_epochs_founded_total{why="missing"})") == "2");
}

TEST_CASE_FIXTURE(StatusBench, "Metrics add up over the shards") {
  first.clients.set(3);
  second.clients.set(4);
  first.accepted.set(10);
  second.accepted.set(20);
  first.frames_sent.set(5);
  second.bytes_sent.set(7);
  counter(first.snapshots, SnapshotReason::lag).set(1);
  counter(second.snapshots, SnapshotReason::lag).set(2);
  counter(first.refused, RefusalReason::origin).set(6);
  first.skipped_events.set(8);
  second.skipped_events.set(1);
  CHECK(sample("syncrelay_clients") == 7);
  CHECK(sample("syncrelay_clients_accepted_total") == 30);
  CHECK(sample("syncrelay_frames_sent_total") == 5);
  CHECK(sample("syncrelay_bytes_sent_total") == 7);
  CHECK(sample("syncrelay_snapshots_sent_total{reason=\"lag\"}") == 3);
  CHECK(sample("syncrelay_clients_refused_total{reason=\"origin\"}") == 6);
  CHECK(sample("syncrelay_skipped_events_total") == 9);
}

TEST_CASE_FIXTURE(StatusBench, "Of what all shards share or compare, the greatest is shown") {
  first.log_bytes.set(100);
  second.log_bytes.set(90);
  first.log_events.set(4);
  second.log_events.set(5);
  second.lag_events_max.set(17);
  CHECK(sample("syncrelay_log_bytes") == 100);
  CHECK(sample("syncrelay_log_events") == 5);
  CHECK(sample("syncrelay_lag_events_max") == 17);
}

TEST_CASE_FIXTURE(StatusBench, "Accepted is open plus closed") {
  first.accepted.set(5);
  first.clients.set(2);
  first.closed[static_cast<std::size_t>(CloseCause::client_closed)][code_index(1000)].set(1);
  first.closed[static_cast<std::size_t>(CloseCause::client_closed)][code_index(4242)].set(1);
  second.accepted.set(1);
  second.closed[static_cast<std::size_t>(CloseCause::stalled)][code_index(1006)].set(1);
  first.closed[static_cast<std::size_t>(CloseCause::stalled)][code_index(1006)].set(1);
  second.accepted.add();
  second.clients.set(1);
  CHECK(sample("syncrelay_clients_closed_total{code=\"other\",reason=\"client_closed\"}") == 1);
  CHECK(sample("syncrelay_clients_closed_total{code=\"1006\",reason=\"stalled\"}") == 2);
  std::uint64_t closed = 0;
  for (const auto& [name, value] : samples()) {
    if (name.rfind("syncrelay_clients_closed_total", 0) == 0) closed += std::stoull(value);
  }
  CHECK(sample("syncrelay_clients_accepted_total") == sample("syncrelay_clients") + closed);
}

TEST_CASE_FIXTURE(StatusBench, "Connections turned away before HTTP are refused for open_files") {
  counter(first.refused, RefusalReason::open_files).set(1);
  status.refused_sockets.set(2);
  CHECK(sample("syncrelay_clients_refused_total{reason=\"open_files\"}") == 3);
}

TEST_CASE_FIXTURE(StatusBench,
                  "Every op with an effect, reject reason, refusal and snapshot reason has a "
                  "sample from the start") {
  const auto all = samples();
  for (std::size_t op = 0; op < kOpNames.size(); ++op) {
    const std::string sample = "syncrelay_commands_total{op=\"" + std::string(kOpNames[op]) + "\"}";
    CHECK(all.count(sample) == (has_effect(static_cast<Op>(op)) ? 1 : 0));
  }
  for (const std::string_view reason : kRejectReasonNames) {
    CHECK(all.count("syncrelay_commands_rejected_total{reason=\"" + std::string(reason) + "\"}") ==
          1);
  }
  for (const std::string_view reason : kRefusalReasonNames) {
    CHECK(all.count("syncrelay_clients_refused_total{reason=\"" + std::string(reason) + "\"}") ==
          1);
  }
  for (const std::string_view reason : kSnapshotReasonNames) {
    CHECK(all.count("syncrelay_snapshots_sent_total{reason=\"" + std::string(reason) + "\"}") == 1);
  }
  for (const std::string_view reason : kInboxRefusalNames)
    CHECK(all.count("syncrelay_inbox_refused_total{reason=\"" + std::string(reason) + "\"}") == 1);
  CHECK(all.at("syncrelay_build_info{version=\"1.2.3\"}") == "1");
}

TEST_CASE_FIXTURE(StatusBench, "The buckets of the histogram are cumulative and end at the count") {
  first.fanout.observe(40);
  first.fanout.observe(2'000, 3);
  second.fanout.observe(60);
  second.fanout.observe(9'000'000);
  const auto all = samples();
  CHECK(all.at("syncrelay_fanout_seconds_bucket{le=\"5e-05\"}") == "1");
  CHECK(all.at("syncrelay_fanout_seconds_bucket{le=\"0.0001\"}") == "2");
  CHECK(all.at("syncrelay_fanout_seconds_bucket{le=\"0.001\"}") == "2");
  CHECK(all.at("syncrelay_fanout_seconds_bucket{le=\"0.0025\"}") == "5");
  CHECK(all.at("syncrelay_fanout_seconds_bucket{le=\"5\"}") == "5");
  CHECK(all.at("syncrelay_fanout_seconds_bucket{le=\"+Inf\"}") == "6");
  CHECK(all.at("syncrelay_fanout_seconds_count") == "6");
  CHECK(std::stod(all.at("syncrelay_fanout_seconds_sum")) == doctest::Approx(9.0061));
}

TEST_CASE_FIXTURE(StatusBench, "The sum of a long run keeps its precision") {
  first.fanout.observe(1, 123'456'789'012'345);
  CHECK(samples().at("syncrelay_fanout_seconds_sum") == "123456789.012345");
}

TEST_CASE_FIXTURE(StatusBench, "Every metric is described once, before its samples") {
  std::map<std::string, int> seen;
  std::istringstream lines(metrics_page(status).body);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("# TYPE ", 0) != 0) continue;
    CHECK(++seen[line.substr(7, line.find(' ', 7) - 7)] == 1);
  }
  CHECK(seen.size() > 20);
  for (const auto& [name, value] : samples()) {
    std::string family = name.substr(0, name.find('{'));
    for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
      const std::size_t at = family.rfind(suffix);
      if (family.rfind("syncrelay_fanout", 0) == 0 && at != std::string::npos) family.resize(at);
    }
    CHECK_MESSAGE(seen.count(family) == 1, name);
  }
}

}  // namespace
}  // namespace syncrelay
