#include "syncrelay/channel/homes.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace syncrelay {
namespace {

void append(std::string& text, std::uint64_t number) {
  text.append(reinterpret_cast<const char*>(&number), sizeof number);
}

std::uint64_t take(std::string_view& text) {
  std::uint64_t number = 0;
  std::memcpy(&number, text.data(), sizeof number);
  text.remove_prefix(sizeof number);
  return number;
}

}  // namespace

bool Homes::has(RelayId relay) const {
  return std::find(relays.begin(), relays.end(), relay) != relays.end();
}

bool Homes::add(RelayId relay) {
  if (has(relay)) return false;
  relays.push_back(relay);
  return true;
}

bool Homes::remove(RelayId relay) {
  const auto* const found = std::find(relays.begin(), relays.end(), relay);
  if (found == relays.end()) return false;
  relays.erase(static_cast<std::size_t>(found - relays.begin()));
  return true;
}

std::string homes_text(const Homes& homes) {
  std::string text;
  append(text, homes.word.number);
  append(text, homes.word.by);
  for (const RelayId relay : homes.relays) append(text, relay);
  return text;
}

Homes homes_of(std::string_view text) {
  Homes homes;
  homes.word.number = take(text);
  homes.word.by = take(text);
  while (!text.empty()) homes.relays.push_back(take(text));
  return homes;
}

}  // namespace syncrelay
