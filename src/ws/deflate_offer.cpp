#include "syncrelay/ws/deflate_offer.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "syncrelay/protocol/deflater.h"
#include "syncrelay/ws/http_request.h"

namespace syncrelay {
namespace {

struct Parameter {
  std::string_view name;
  std::optional<std::string_view> value;  // without its quotes
};

// What stands before `mark`, and takes both from the front of `text`.
std::string_view take_until(std::string_view& text, char mark) {
  const std::size_t end = std::min(text.find(mark), text.size());
  const std::string_view part = trim(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

// No value that is asked for has an escape in it.
std::string_view unquoted(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  return quoted ? value.substr(1, value.size() - 2) : value;
}

Parameter parameter_of(std::string_view text) {
  const bool has_value = text.find('=') != std::string_view::npos;
  const std::string_view name = take_until(text, '=');
  if (!has_value) return {name, std::nullopt};
  return {name, unquoted(trim(text))};
}

// Section 7.1.2: 8 to 15, without leading zeros.
std::optional<int> window_bits(std::string_view text) {
  constexpr std::string_view kBits[] = {"8", "9", "10", "11", "12", "13", "14", "15"};
  const auto* const found = std::find(std::begin(kBits), std::end(kBits), text);
  if (found == std::end(kBits)) return std::nullopt;
  return 8 + static_cast<int>(found - std::begin(kBits));
}

// What an offer asks for, parameter by parameter.
class Offer {
 public:
  // False: it cannot be kept.
  bool take(const Parameter& parameter) {
    if (parameter.name == "server_no_context_takeover")
      return once(server_no_takeover_) && !parameter.value;
    if (parameter.name == "client_no_context_takeover")
      return once(client_no_takeover_) && !parameter.value;
    if (parameter.name == "client_max_window_bits")
      return once(client_bits_) && (!parameter.value || window_bits(*parameter.value));
    if (parameter.name != "server_max_window_bits" || !parameter.value) return false;
    return once(server_bits_) && window_bits(*parameter.value).value_or(0) >= Deflater::kWindowBits;
  }
  bool limits_server() const { return server_bits_; }

 private:
  static bool once(bool& seen) { return !std::exchange(seen, true); }

  bool server_no_takeover_ = false;
  bool client_no_takeover_ = false;
  bool client_bits_ = false;
  bool server_bits_ = false;
};

std::optional<Offer> offer_of(std::string_view text) {
  if (take_until(text, ';') != "permessage-deflate") return std::nullopt;
  Offer offer;
  while (!text.empty()) {
    if (!offer.take(parameter_of(take_until(text, ';')))) return std::nullopt;
  }
  return offer;
}

}  // namespace

std::string grant_deflate(const std::vector<std::string_view>& offers) {
  for (const std::string_view text : offers) {
    const std::optional<Offer> offer = offer_of(text);
    if (!offer) continue;
    std::string grant =
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    if (offer->limits_server())
      grant += "; server_max_window_bits=" + std::to_string(Deflater::kWindowBits);
    return grant;
  }
  return {};
}

}  // namespace syncrelay
