#include "syncrelay/config/token_text.h"

#include <cstddef>

#include "syncrelay/config/secret_text.h"
#include "syncrelay/config/text.h"
#include "syncrelay/config/text_file.h"

namespace syncrelay {

bool is_token_text(std::string_view text) {
  constexpr std::size_t kMost = 8 * 1024;
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
  return !text.empty() && text.size() <= kMost &&
         text.find_first_not_of(kLetters) == std::string_view::npos;
}

Result<std::string, FileError> read_token_file(const std::string& path) {
  const std::string place = config::quote_for_message(path);
  auto text = read_text_file(path);
  if (!text) return FileError{config::cannot_read(path, text.error())};
  std::string token = std::move(text).value();
  token.erase(token.find_last_not_of(" \t\r\n") + 1);
  if (!is_token_text(token)) return FileError{place + ' ' + std::string(kNoTokenText)};
  return token;
}

}  // namespace syncrelay
