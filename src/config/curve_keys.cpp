#include "syncrelay/config/curve_keys.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "syncrelay/config/secret_text.h"
#include "syncrelay/config/text_file.h"

namespace syncrelay::config {
namespace {

constexpr std::string_view kBlanks = " \t\r";
constexpr std::size_t kKeyCharacters = 40;
constexpr std::size_t kGroup = 5;  // characters for four bytes
constexpr std::string_view kAlphabet =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

bool is_group(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return false;
    value = value * kAlphabet.size() + digit;
  }
  return value <= UINT32_MAX;
}

std::string_view trimmed(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  return line.substr(0, line.find_last_not_of(kBlanks) + 1);
}

bool is_comment(std::string_view line) {
  return line == "#" || line.starts_with("# ") || line.starts_with("#\t");
}

// Why a key behind this comment is not the one that is asked for; null: it may be.
const char* kind_fault(std::string_view comment, CurveKind kind) {
  const bool is_secret = comment.starts_with("# syncrelay CURVE secret key");
  const bool is_public = comment.starts_with("# syncrelay CURVE public key");
  if (kind == CurveKind::secret_key && is_public)
    return "holds a public key, and the secret one is asked for: the file without .pub";
  if (kind == CurveKind::public_key && is_secret)
    return "holds a secret key, and the public one is asked for: the file with .pub";
  return nullptr;
}

}  // namespace

bool is_curve_key(std::string_view text) {
  if (text.size() != kKeyCharacters) return false;
  for (std::size_t at = 0; at < kKeyCharacters; at += kGroup) {
    if (!is_group(text.substr(at, kGroup))) return false;
  }
  return true;
}

std::string_view curve_mark(CurveKind kind) {
  return kind == CurveKind::secret_key ? "# syncrelay CURVE secret key: for this host alone"
                                       : "# syncrelay CURVE public key";
}

Result<std::string, FileError> curve_key_in(std::string_view text, CurveKind kind) {
  while (is_comment(text.substr(0, text.find_first_of("\r\n")))) {
    if (const char* fault = kind_fault(text, kind)) return FileError{fault};
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (is_curve_key(text)) return std::string(text);
  return FileError{"holds no key: 40 characters, as keygen writes it"};
}

Result<std::vector<std::string>, FileError> curve_keys_in(std::string_view text) {
  std::vector<std::string> keys;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (const char* fault = kind_fault(line, CurveKind::public_key))
      return FileError{"line " + std::to_string(number) + ' ' + fault};
    if (line.empty() || is_comment(line)) continue;
    const std::string_view key = line.substr(0, line.find_first_of(kBlanks));
    if (!is_curve_key(key)) {
      return FileError{"line " + std::to_string(number) +
                       " begins with no public key (40 characters, as keygen prints it), nor with "
                       "# and a blank"};
    }
    keys.emplace_back(key);
  }
  return keys;
}

Result<std::string, FileError> read_curve_key(const std::string& path, CurveKind kind) {
  const auto text = read_text_file(path);
  if (!text) return FileError{cannot_read(path, text.error())};
  if (kind == CurveKind::secret_key && path.ends_with(".pub"))
    return FileError{path + ": by its name it is a public key, and the secret one is asked for"};
  auto key = curve_key_in(text.value(), kind);
  if (!key) return FileError{path + ": " + key.error().reason};
  return key;
}

}  // namespace syncrelay::config
