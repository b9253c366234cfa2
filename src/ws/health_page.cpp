#include <chrono>
#include <cstdio>

#include "syncrelay/ws/pages.h"

namespace syncrelay {

HttpResponse health_page(const Status& status) {
  const bool stopping = status.stopping.load(std::memory_order_relaxed);
  const bool catching_up = status.catching_up.load(std::memory_order_relaxed);
  const std::chrono::duration<double> uptime = status.clock.now() - status.started;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.1f", uptime.count());
  std::string body = R"({"status":")";
  body += stopping ? "stopping" : catching_up ? "catching_up" : "ok";
  if (status.cluster != nullptr)
    body += status.cluster->reachable() ? R"(","cluster":"ok)" : R"(","cluster":"unreachable)";
  body += R"(","clients":)" + std::to_string(status.clients());
  if (!catching_up) {
    body += R"(,"seq":)" + std::to_string(status.relay.seq.get());
    body += R"(,"epoch":")" + status.epoch + '"';
  }
  body += R"(,"uptime":)" + std::string(seconds);
  body += R"(,"version":")" + status.version + "\"}\n";
  return {stopping || catching_up ? 503 : 200, "application/json", std::move(body), {}, {}};
}

}  // namespace syncrelay
