#include "token_keys.h"

#include <utility>

#include "syncrelay/config/text_file.h"

namespace syncrelay {

bool TokenKeys::Mark::operator==(const Mark& other) const {
  return there == other.there && inode == other.inode && size == other.size &&
         changed.tv_sec == other.changed.tv_sec && changed.tv_nsec == other.changed.tv_nsec;
}

const std::string& TokenKeys::path() const {
  return config_.token_key.empty() ? config_.token_jwks : config_.token_key;
}

TokenKeys::Mark TokenKeys::mark() const {
  struct stat found {};
  if (stat(path().c_str(), &found) != 0) return {};
  return {true, found.st_ino, found.st_size, found.st_mtim};
}

// Marked before it is read: what is written meanwhile is seen as another one then.
KeySet::Made TokenKeys::read() {
  read_ = mark();
  const auto text = read_text_file(path());
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
  if (!(mark() == read_)) reload();
}

}  // namespace syncrelay
