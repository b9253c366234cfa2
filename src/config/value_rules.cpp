#include "syncrelay/config/value_rules.h"

#include "syncrelay/base/ip_address.h"
#include "syncrelay/config/address.h"
#include "syncrelay/config/text.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/protocol/limits.h"

namespace syncrelay::config {

Reason host_problem(std::string_view host) {
  if (is_host(host)) return std::nullopt;
  return "is neither an address nor a host name (IPv6 without brackets)";
}

Reason host_name_problem(std::string_view name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  const bool named = !name.empty() && name.find_first_not_of(kAllowed) == std::string_view::npos;
  if (named) return std::nullopt;
  return "is no host name (without a port; addresses need not be listed; * is what there is "
         "without "
         "this option)";
}

Reason network_problem(std::string_view network) {
  const auto parsed = IpNetwork::parse(network);
  return parsed ? std::nullopt : Reason(parsed.error());
}

Reason state_key_problem(std::string_view key) {
  if (!key.empty() && key.size() <= kMaxNameBytes) return std::nullopt;
  return "is " + std::to_string(key.size()) + " bytes long; accepted: 1 to " +
         std::to_string(kMaxNameBytes);
}

Reason channel_pattern_problem(std::string_view pattern) {
  if (is_channel_pattern(pattern)) return std::nullopt;
  return "is neither the name of a channel (1 to " + std::to_string(kMaxChannelBytes) +
         " of A-Z a-z 0-9 _ . : ~ - @ /) nor the beginning of names with one * behind it";
}

// Besides, the empty one is the default channel.
Reason some_channel_problem(std::string_view pattern) {
  return pattern.empty() ? std::nullopt : channel_pattern_problem(pattern);
}

Reason event_type_problem(std::string_view type) {
  if (type.size() > kMaxNameBytes) return state_key_problem(type);
  if (type == "ping" || type.starts_with("sync:")) return "is reserved: ping, and sync: in front";
  return std::nullopt;
}

Reason hello_type_problem(std::string_view type) {
  if (type == "sync:hello") return std::nullopt;
  if (type.empty()) return "is empty";
  return event_type_problem(type);
}

Reason members_key_problem(std::string_view key) {
  return key.empty() ? std::nullopt : state_key_problem(key);
}

Reason runtime_dir_problem(std::string_view dir) {
  constexpr std::size_t kLongestName = std::string_view("/commands.sock").size();
  constexpr std::size_t kMaxDir = kMaxIpcPath - kLongestName;
  if (dir.empty()) return "is empty";
  if (dir.starts_with('@')) return "begins with @, which is no path to ZeroMQ: write ./@";
  if (!is_printable(dir)) return "holds control characters";
  if (dir.size() <= kMaxDir) return std::nullopt;
  return "is " + std::to_string(dir.size()) + " bytes long; accepted: up to " +
         std::to_string(kMaxDir) + ", so that the paths of its sockets fit the system's limit";
}

Reason directory_problem(std::string_view dir) {
  return is_printable(dir) ? std::nullopt : Reason("holds control characters");
}

Reason key_set_problem(std::string_view file) {
  if (file.starts_with("https://") || file.starts_with("http://"))
    return "is an address, and a file is asked for: fetch the set into one, which is read again "
           "when "
           "it changes";
  return directory_problem(file);
}

// RFC 6265 section 4.1.1.
Reason cookie_problem(std::string_view name) {
  const bool odd = name.find_first_of("()<>@,;:\\\"/[]?={} \t") != std::string_view::npos;
  return odd || !is_printable(name) ? Reason("is no name of a cookie") : std::nullopt;
}

Reason group_problem(std::string_view group) {
  const bool odd = group.find_first_of(" :,/") != std::string_view::npos || !is_printable(group);
  return odd ? Reason("is no group name") : std::nullopt;
}

}  // namespace syncrelay::config
