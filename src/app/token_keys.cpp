#include "token_keys.h"

#include <utility>

#include "syncrelay/config/secret_text.h"

namespace syncrelay {
namespace {

bool is_secret(const KeySet& keys) {
  return keys.find(std::nullopt)->algorithm() == SigningAlgorithm::hs256;
}

}  // namespace

TokenKeys::TokenKeys(const Config& config, const Log& log)
    : config_(config),
      log_(log),
      files_({config.token_key.empty() ? config.token_jwks : config.token_key}) {}

KeySet::Made TokenKeys::read() {
  const auto text = files_.read(0);
  if (!text) return config::cannot_read(path(), text.error());
  KeySet::Made keys = keys_in(text.value());
  if (keys) return keys;
  return path() + ": " + keys.error();
}

KeySet::Made TokenKeys::keys_in(const std::string& text) const {
  if (config_.token_key.empty()) return KeySet::of_jwks(text);
  KeySet::Made keys = KeySet::of_key_file(text);
  if (keys && path().ends_with(".pub") && is_secret(keys.value()))
    return std::string(
        "by its name it is a public key, and its content would be taken for a secret: a public "
        "key is taken in PEM");
  return keys;
}

Result<void, std::string> TokenKeys::load() {
  auto keys = read();
  if (!keys) return keys.error();
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
               {{"why", keys.error()}});
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
