#include "admin_token.h"

#include <algorithm>

#include "syncrelay/config/secret_text.h"

namespace syncrelay {
namespace {

// The end of the line is not part of it.
std::string first_line(const std::string& text) {
  return text.substr(0, std::min(text.find_first_of("\r\n"), text.size()));
}

// What a header can carry (RFC 6750 section 2.1), and nobody guesses.
bool is_token(const std::string& text) {
  constexpr std::size_t kMost = 4096;
  const auto fits = [](char c) { return c > 0x20 && c < 0x7f; };
  return text.size() >= BearerSecret::kLeast && text.size() <= kMost &&
         std::all_of(text.begin(), text.end(), fits);
}

}  // namespace

AdminToken::AdminToken(const Config& config, const Log& log)
    : log_(log), files_({config.admin_token}) {}

Result<std::string, FileError> AdminToken::read() {
  const auto text = files_.read(0);
  if (!text) return FileError{config::cannot_read(files_.path(0), text.error())};
  std::string token = first_line(text.value());
  if (is_token(token)) return token;
  return FileError{files_.path(0) +
                   ": its first line is not a token of 32 characters or more, without blanks: make "
                   "one by openssl rand -hex 32"};
}

Result<void, std::string> AdminToken::load() {
  const auto token = read();
  if (!token) return token.error().reason;
  secret_ = std::make_unique<BearerSecret>(token.value());
  return {};
}

void AdminToken::reload() {
  const auto token = read();
  if (!token) {
    log_.error("the admin listener's token stays what it was: the file cannot be used",
               {{"why", token.error().reason}});
    return;
  }
  secret_->replace(token.value());
  log_.info("the admin listener's token was read again", {{"file", files_.path(0)}});
}

void AdminToken::reload_if_changed() {
  if (files_.changed()) reload();
}

}  // namespace syncrelay
