#include "syncrelay/config/secret_text.h"

#include <algorithm>
#include <cstddef>

#include "syncrelay/config/curve_keys.h"
#include "syncrelay/config/text.h"

namespace syncrelay::config {
namespace {

constexpr std::size_t kShortest = 20;  // characters of what is secret by its letters
constexpr std::size_t kLong = 32;      // of what may be one whatever its letters

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool has_one_of(std::string_view text, std::string_view letters) {
  return text.find_first_of(letters) != text.npos;
}

bool is_only_of(std::string_view text, const std::string& letters) {
  return text.find_first_not_of(letters) == text.npos;
}

bool is_hex(std::string_view text) {
  return is_only_of(text, "0123456789abcdefABCDEF");
}

// With all that random bytes have in it, and names of files seldom.
bool is_base64(std::string_view text) {
  return is_only_of(text, std::string(kDigits).append(kLower).append(kUpper) + "+/=-_") &&
         has_one_of(text, kDigits) && has_one_of(text, kLower) && has_one_of(text, kUpper);
}

// ".key", ".json": up to five letters or digits.
bool has_extension(std::string_view name) {
  constexpr std::size_t kMost = 5;
  const std::size_t dot = name.rfind('.');
  if (dot == name.npos) return false;
  const std::string_view end = name.substr(dot + 1);
  return !end.empty() && end.size() <= kMost &&
         is_only_of(end, std::string(kDigits).append(kLower).append(kUpper));
}

bool is_path(std::string_view value) {
  return value.starts_with('/') || value.starts_with("./") || value.starts_with("../") ||
         value.starts_with("~/");
}

}  // namespace

bool looks_secret(std::string_view value) {
  if (is_curve_key(value) || !is_printable(value)) return true;
  if (is_path(value) || value.size() < kShortest) return false;
  if (is_hex(value) || is_base64(value)) return true;
  return value.size() >= kLong && value.find('/') == value.npos && !has_extension(value);
}

std::string cannot_read(const std::string& path, const FileError& why) {
  if (looks_secret(path))
    return "what is given looks like the secret itself, and is not shown: name a file that holds "
           "it";
  return path + ": cannot be read: " + why.reason;
}

}  // namespace syncrelay::config
