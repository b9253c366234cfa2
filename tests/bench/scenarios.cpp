#include "scenarios.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <future>
#include <thread>

#include "clock.h"
#include "publisher.h"
#include "server_usage.h"
#include "swarm.h"

namespace syncrelay::bench {
namespace {

constexpr std::int64_t kPatience = 120 * kSecond;

// Lets the server finish its last turn, so that its accounts are complete.
void settle() {
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
}

double process_cpu_ns() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) * kSecond + static_cast<double>(used.tv_nsec);
}

double quantile(std::vector<double>& values, double q) {
  auto rank = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

std::string data_of(const Load& load) {
  return load.typical ? typical_data(load.bytes) : text_data(load.bytes);
}

// Clients that are connected and a publisher that has proven to reach them.
struct Stage {
  explicit Stage(const Load& load)
      : swarm(load.port, load.greetings, {load.tls, load.deflate}),
        publisher(make_publisher(load.publish, data_of(load))) {
    swarm.connect(load.clients);
    publisher->publish();
    published = 1;
    swarm.read_until(published, now_ns() + kPatience);
  }

  Swarm swarm;
  std::unique_ptr<Publisher> publisher;
  std::uint64_t published = 0;
};

struct Burst {
  double seconds;        // from the first publish to the last client's last message
  double server_cpu_us;  // over that time
  double load_busy;      // share of that time that this process was on a CPU
};

Burst burst_once(Stage& stage, const Load& load) {
  double cpu_before = ServerUsage::of(load.server).cpu_us;
  double own_before = process_cpu_ns();
  std::int64_t start = now_ns();
  auto publishing = std::async(std::launch::async, [&] {
    for (std::uint64_t i = 0; i < load.events; ++i) stage.publisher->publish();
  });
  stage.published += load.events;
  std::int64_t end = stage.swarm.read_until(stage.published, start + kPatience);
  double own = process_cpu_ns() - own_before;
  publishing.get();
  settle();
  double duration = static_cast<double>(end - start);
  return {duration / kSecond, ServerUsage::of(load.server).cpu_us - cpu_before, own / duration};
}

// Publishes at the rate; returns when each event was published.
std::vector<std::int64_t> publish_paced(Publisher& publisher, const Load& load) {
  std::vector<std::int64_t> published_at;
  published_at.reserve(load.events);
  auto start = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < load.events; ++i) {
    std::chrono::duration<double> due(static_cast<double>(i) / load.rate);
    std::this_thread::sleep_until(
        start + std::chrono::duration_cast<std::chrono::steady_clock::duration>(due));
    published_at.push_back(now_ns());
    publisher.publish();
  }
  return published_at;
}

struct Latencies {
  std::vector<double> each_us;  // every delivery
  std::vector<double> last_us;  // per event, its last delivery
};

// An arrival's messages belong to events by their number: every client gets every event, in order.
Latencies latencies(const std::vector<Swarm::Arrival>& arrivals, std::uint64_t first_event,
                    const std::vector<std::int64_t>& published_at) {
  Latencies result{{}, std::vector<double>(published_at.size(), 0)};
  for (const Swarm::Arrival& arrival : arrivals) {
    for (std::uint64_t i = 0; i < arrival.count; ++i) {
      std::uint64_t event = arrival.first + i - first_event;
      double late_us = static_cast<double>(arrival.at_ns - published_at[event]) / 1000;
      result.each_us.push_back(late_us);
      result.last_us[event] = std::max(result.last_us[event], late_us);
    }
  }
  return result;
}

}  // namespace

Figures run_burst(const Load& load) {
  Stage stage(load);
  burst_once(stage, load);  // lets the kernel's buffers grow
  std::vector<double> rate, cpu, busy;
  const std::uint64_t bytes_before = stage.swarm.bytes();
  auto deliveries = static_cast<double>(load.events * stage.swarm.size());
  for (unsigned i = 0; i < load.repeat; ++i) {
    Burst burst = burst_once(stage, load);
    rate.push_back(deliveries / burst.seconds);
    cpu.push_back(burst.server_cpu_us / deliveries);
    busy.push_back(burst.load_busy);
  }
  return {{"deliveries_per_second", quantile(rate, 0.5)},
          {"server_cpu_us_per_delivery", quantile(cpu, 0.5)},
          {"bytes_per_delivery",
           static_cast<double>(stage.swarm.bytes() - bytes_before) / (deliveries * load.repeat)},
          {"load_busy", quantile(busy, 0.5)}};
}

Figures run_paced(const Load& load) {
  Stage stage(load);
  std::vector<Swarm::Arrival> arrivals;
  arrivals.reserve(load.events * stage.swarm.size());
  stage.swarm.observe([&](const Swarm::Arrival& arrival) { arrivals.push_back(arrival); });
  const std::uint64_t bytes_before = stage.swarm.bytes();
  double cpu_before = ServerUsage::of(load.server).cpu_us;
  double own_before = process_cpu_ns();
  std::int64_t start = now_ns();
  auto publishing =
      std::async(std::launch::async, [&] { return publish_paced(*stage.publisher, load); });
  std::int64_t end = stage.swarm.read_until(stage.published + load.events, start + kPatience);
  double own = process_cpu_ns() - own_before;
  std::vector<std::int64_t> published_at = publishing.get();
  settle();
  double cpu_us = ServerUsage::of(load.server).cpu_us - cpu_before;
  Latencies late = latencies(arrivals, stage.published, published_at);
  return {{"server_cpu_us_per_delivery", cpu_us / static_cast<double>(late.each_us.size())},
          {"client_p50_us", quantile(late.each_us, 0.5)},
          {"client_p99_us", quantile(late.each_us, 0.99)},
          {"last_client_p50_us", quantile(late.last_us, 0.5)},
          {"last_client_p99_us", quantile(late.last_us, 0.99)},
          {"bytes_per_delivery", static_cast<double>(stage.swarm.bytes() - bytes_before) /
                                     static_cast<double>(late.each_us.size())},
          {"load_busy", own / static_cast<double>(end - start)}};
}

namespace {

// The channels of a client lie side by side, the next client's one further, so that all channels
// have as many followers as the others. Precondition: what makes that so.
std::string query(const Load& load, std::size_t client) {
  std::string text;
  const std::size_t first = client * std::max<std::size_t>(load.channels / load.clients, 1);
  for (std::size_t count = 0; count < load.follows; ++count) {
    text += text.empty() ? "?channel=" : "&channel=";
    text += Channels::name((first + count) % load.channels);
  }
  return text;
}

}  // namespace

Figures run_channels(const Load& load) {
  Swarm swarm(load.port, static_cast<unsigned>(load.follows), {load.tls, load.deflate},
              [&](std::size_t client) { return query(load, client); });
  const auto publisher =
      make_publisher(load.publish, data_of(load), Channels{load.channels, load.list});
  swarm.connect(load.clients);
  Load turn = load;  // once through all channels, to let the kernel's buffers grow
  turn.events = (load.channels + load.list - 1) / load.list;
  publish_paced(*publisher, turn);
  swarm.read_until(load.follows, now_ns() + kPatience);
  turn.events *= load.events;
  const double cpu_before = ServerUsage::of(load.server).cpu_us;
  const double own_before = process_cpu_ns();
  const std::int64_t start = now_ns();
  auto publishing = std::async(std::launch::async, [&] { return publish_paced(*publisher, turn); });
  const std::int64_t end = swarm.read_until(load.follows * (1 + load.events), start + kPatience);
  const double own = process_cpu_ns() - own_before;
  publishing.get();
  settle();
  const double cpu_us = ServerUsage::of(load.server).cpu_us - cpu_before;
  const auto deliveries = static_cast<double>(load.clients * load.follows * load.events);
  return {{"server_cpu_us_per_delivery", cpu_us / deliveries},
          {"deliveries_per_second", deliveries * kSecond / static_cast<double>(end - start)},
          {"load_busy", own / static_cast<double>(end - start)}};
}

Figures run_confirmed(const Load& load) {
  Asker asker(load.control, data_of(load));
  for (int warm = 0; warm < 20; ++warm) asker.ask();
  const double cpu_before = ServerUsage::of(load.server).cpu_us;
  std::vector<double> took_us;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < load.events; ++i) {
    const std::chrono::duration<double> due(static_cast<double>(i) / load.rate);
    std::this_thread::sleep_until(
        start + std::chrono::duration_cast<std::chrono::steady_clock::duration>(due));
    const std::int64_t asked = now_ns();
    asker.ask();
    took_us.push_back(static_cast<double>(now_ns() - asked) / 1000);
  }
  const double cpu_us = ServerUsage::of(load.server).cpu_us - cpu_before;
  return {{"answer_p50_us", quantile(took_us, 0.5)},
          {"answer_p99_us", quantile(took_us, 0.99)},
          {"answer_max_us", quantile(took_us, 1)},
          {"server_cpu_us_per_delivery", cpu_us / static_cast<double>(load.events)}};
}

Figures run_accept(const Load& load) {
  ServerUsage before = ServerUsage::of(load.server);
  Swarm swarm(load.port, load.greetings, {load.tls, load.deflate});
  std::int64_t took_ns = swarm.connect(load.clients);
  settle();
  ServerUsage after = ServerUsage::of(load.server);
  auto clients = static_cast<double>(swarm.size());
  double grown = static_cast<double>(after.rss_bytes) - static_cast<double>(before.rss_bytes);
  return {{"accepts_per_second", clients * kSecond / static_cast<double>(took_ns)},
          {"server_cpu_us_per_accept", (after.cpu_us - before.cpu_us) / clients},
          {"rss_bytes_per_connection", grown / clients}};
}

}  // namespace syncrelay::bench
