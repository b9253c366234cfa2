#include "token_keys.h"

#include <utility>

namespace syncrelay {

TokenKeys::TokenKeys(const Config& config, const Log& log)
    : config_(config),
      log_(log),
      files_({config.token_key.empty() ? config.token_jwks : config.token_key}) {}

KeySet::Made TokenKeys::read() {
  const auto text = files_.read(0);
  if (!text) return "cannot be read: " + text.error().reason;
  return config_.token_key.empty() ? KeySet::of_jwks(text.value())
                                   : KeySet::of_key_file(text.value());
}

Result<void, std::string> TokenKeys::load() {
  auto keys = read();
  if (!keys) return path() + ": " + keys.error();
  settings_.reset(new TokenSettings{KeyRing(std::move(keys).value()),
                                    {config_.token_issuer, config_.token_audience},
                                    config_.token_optional,
                                    {config_.token_cookie, config_.token_in_url}});
  return {};
}

void TokenKeys::reload() {
  auto keys = read();
  if (!keys) {
    log_.error("the keys of tokens stay what they were: the file cannot be used",
               {{"file", path()}, {"why", keys.error()}});
    return;
  }
  const std::uint64_t count = keys.value().size();
  settings_->ring.replace(std::move(keys).value());
  log_.info("the keys of tokens were read again", {{"file", path()}, {"keys", count}});
}

void TokenKeys::reload_if_changed() {
  if (files_.changed()) reload();
}

}  // namespace syncrelay
