#include "syncrelay/config/toml.h"

#include <algorithm>
#include <optional>
#include <set>

#include "syncrelay/config/quantity.h"
#include "syncrelay/config/text.h"

namespace syncrelay::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_bare_key_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80U | ((code >> shift) & 0x3fU));
  };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xc0U | (code >> 6U));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xe0U | (code >> 12U));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xf0U | (code >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

// An integer without its underscores; nothing when TOML would not take it. Ranges are for others to
// check.
std::optional<std::string> plain_integer(std::string_view text) {
  const bool has_sign = text.starts_with('-') || text.starts_with('+');
  const std::string_view digits = text.substr(has_sign ? 1 : 0);
  if (digits.starts_with("0o") && parse_octal(digits)) return std::string(text);
  if (digits.empty() || !is_digit(digits.front()) || !is_digit(digits.back())) return std::nullopt;
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  const auto fits = [](char c) { return is_digit(c) || c == '_'; };
  if (!std::all_of(digits.begin(), digits.end(), fits)) return std::nullopt;
  if (digits.find("__") != std::string_view::npos) return std::nullopt;
  std::string plain(text.starts_with('+') ? digits : text);
  std::erase(plain, '_');
  return plain;
}

// Walks over the text once. Member functions answer false after they have set the error.
class TomlReader {
 public:
  explicit TomlReader(std::string_view text) : text_(text) {}

  Result<std::vector<TomlEntry>, TomlError> read() {
    if (!check_characters()) return error_;
    if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
    while (skip_blank_lines()) {
      if (!read_entry()) return error_;
    }
    return std::move(entries_);
  }

 private:
  bool fail(std::string reason) {
    error_ = {line_, std::move(reason)};
    return false;
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at_line_end() const { return at_ == text_.size() || text_[at_] == '\n'; }

  bool take(char c) {
    if (peek() != c || at_ == text_.size()) return false;
    if (c == '\n') ++line_;
    ++at_;
    return true;
  }

  // All of it is UTF-8, without control characters but tab and line ends.
  bool check_characters() {
    const std::size_t good = utf8_prefix(text_);
    for (std::size_t i = 0; i < good; ++i) {
      const char c = text_[i];
      if (c == '\n') ++line_;
      const bool line_end = c == '\n' || (c == '\r' && text_.substr(i + 1).starts_with('\n'));
      if (c != '\t' && !line_end && !is_printable({&c, 1})) return fail("a control character");
    }
    if (good < text_.size()) return fail("not valid UTF-8");
    line_ = 1;
    return true;
  }

  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\r') ++at_;
  }

  void skip_comment() {
    if (peek() != '#') return;
    while (!at_line_end()) ++at_;
  }

  // True when something other than comments is left.
  bool skip_blank_lines() {
    do {
      skip_spaces();
      skip_comment();
    } while (take('\n'));
    return at_ < text_.size();
  }

  bool read_entry() {
    TomlEntry entry;
    entry.line = line_;
    if (!read_key(entry.key)) return false;
    skip_spaces();
    if (peek() == '.') return fail("dotted keys are not used here: settings have no tables");
    if (!take('=')) return fail("expected '=' after the key " + quote_for_message(entry.key));
    skip_spaces();
    if (!keys_.insert(entry.key).second)
      return fail("the key " + quote_for_message(entry.key) + " comes twice");
    if (!read_values(entry)) return false;
    skip_spaces();
    skip_comment();
    if (!at_line_end()) return fail("more text after the value; one setting a line");
    entries_.push_back(std::move(entry));
    return true;
  }

  bool read_key(std::string& key) {
    if (peek() == '[') return fail("tables are not used here: settings stand at the top level");
    if (peek() == '"' || peek() == '\'') return read_string(key);
    while (is_bare_key_char(peek())) key += text_[at_++];
    return !key.empty() || fail("expected a setting: key = value");
  }

  bool read_values(TomlEntry& entry) {
    if (take('[')) {
      entry.is_array = true;
      return read_array(entry.values);
    }
    return read_scalar(entry.values.emplace_back());
  }

  // After the bracket.
  bool read_array(std::vector<TomlScalar>& values) {
    while (skip_blank_lines()) {
      if (take(']')) return true;
      if (peek() == '[') return fail("a list in a list is not used here");
      if (!read_scalar(values.emplace_back())) return false;
      if (!skip_blank_lines()) break;
      if (peek() != ']' && !take(',')) return fail("expected ',' or ']' in the list");
    }
    return fail("the list has no end: a ']' is missing");
  }

  bool read_scalar(TomlScalar& scalar) {
    if (peek() == '"' || peek() == '\'') return read_string(scalar.text);
    const std::size_t end = std::min(text_.find_first_of(" \t\r\n,]#", at_), text_.size());
    const std::string_view word = text_.substr(at_, end - at_);
    at_ = end;
    if (word == "true" || word == "false") {
      scalar = {TomlType::boolean, std::string(word)};
      return true;
    }
    if (const auto integer = plain_integer(word)) {
      scalar = {TomlType::integer, *integer};
      return true;
    }
    if (word.empty()) return fail("a value is missing");
    return fail(quote_for_message(word) +
                " is neither a whole number nor true or false; text needs quotes");
  }

  bool read_string(std::string& out) {
    const char mark = text_[at_++];
    if (text_.substr(at_).starts_with(std::string(2, mark))) {
      return fail("strings over several lines are not used here");
    }
    while (!at_line_end()) {
      const char c = text_[at_++];
      if (c == mark) return true;
      if (c != '\\' || mark == '\'') {
        out += c;
      } else if (!read_escape(out)) {
        return false;
      }
    }
    return fail("the string has no end on its line");
  }

  // After the backslash.
  bool read_escape(std::string& out) {
    constexpr std::string_view kNames = "btnfr\"\\";
    constexpr std::string_view kMeanings = "\b\t\n\f\r\"\\";
    const char name = peek();
    if (name == 'u' || name == 'U') return read_code_point(out);
    const std::size_t found = kNames.find(name);
    if (found == std::string_view::npos)
      return fail("an unknown escape in a string; a backslash is written \\\\");
    ++at_;
    out += kMeanings[found];
    return true;
  }

  // At the 'u' or 'U'.
  bool read_code_point(std::string& out) {
    const std::size_t digits = text_[at_++] == 'u' ? 4 : 8;
    const std::string_view hex = text_.substr(at_, digits);
    const auto code = hex.size() == digits ? parse_hexadecimal(hex) : std::nullopt;
    const bool surrogate = code && *code >= 0xd800 && *code < 0xe000;
    if (!code || surrogate || *code > 0x10ffff)
      return fail("\\u needs four, \\U eight hexadecimal digits of a character");
    at_ += digits;
    append_utf8(out, static_cast<std::uint32_t>(*code));
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::set<std::string> keys_;
  std::vector<TomlEntry> entries_;
  TomlError error_;
};

}  // namespace

Result<std::vector<TomlEntry>, TomlError> parse_toml(std::string_view text) {
  return TomlReader(text).read();
}

}  // namespace syncrelay::config
