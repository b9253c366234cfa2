#include "syncrelay/ws/proxy_rule.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "syncrelay/ws/forwarded.h"

namespace syncrelay {
namespace {

std::vector<std::string> nodes_of_x_forwarded_for(const HttpRequest& request) {
  std::vector<std::string> nodes;
  for (const std::string_view node : request.elements("x-forwarded-for")) nodes.emplace_back(node);
  return nodes;
}

std::vector<std::string> nodes_of_forwarded(const HttpRequest& request) {
  std::vector<std::string> nodes;
  for (const std::string_view field : request.values("forwarded")) {
    auto more = forwarded_nodes(field);
    std::move(more.begin(), more.end(), std::back_inserter(nodes));
  }
  const bool names_any = std::any_of(nodes.begin(), nodes.end(),
                                     [](const std::string& node) { return !node.empty(); });
  return names_any ? nodes : std::vector<std::string>();  // it may say by what protocol, only
}

}  // namespace

bool names_client(const HttpRequest& request) {
  return !request.field("x-forwarded-for").empty() || !request.field("forwarded").empty();
}

// What a header says.
struct ProxyRule::Claim {
  bool there = false;
  std::optional<IpAddress> client;  // nullopt: what stands there is no address

  bool operator==(const Claim&) const = default;
};

ProxyRule::ProxyRule(const std::vector<std::string>& networks) {
  for (const std::string& network : networks) trusted_.push_back(IpNetwork::parse(network).value());
}

bool ProxyRule::trusts(const IpAddress& address) const {
  const auto contains = [&](const IpNetwork& network) { return network.contains(address); };
  return std::any_of(trusted_.begin(), trusted_.end(), contains);
}

bool ProxyRule::trusts(std::string_view address) const {
  if (trusted_.empty()) return false;
  const auto parsed = IpAddress::parse(address);
  return parsed && trusts(*parsed);
}

ProxyRule::Claim ProxyRule::furthest(const std::vector<std::string>& nodes) const {
  Claim claim;
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    claim = {true, node_address(*node)};
    if (!claim.client || !trusts(*claim.client)) break;
  }
  return claim;
}

Result<std::string, ProxyRule::Doubt> ProxyRule::client_of(const HttpRequest& request,
                                                           std::string_view peer) const {
  if (!trusts(peer)) return std::string(peer);
  const Claim listed = furthest(nodes_of_x_forwarded_for(request));
  const Claim forwarded = furthest(nodes_of_forwarded(request));
  if (listed.there && forwarded.there && !(listed == forwarded)) return Doubt::contradiction;
  const Claim& claim = listed.there ? listed : forwarded;
  if (!claim.there) return std::string(peer);
  if (!claim.client) return Doubt::unusable;
  return claim.client->text();
}

}  // namespace syncrelay
