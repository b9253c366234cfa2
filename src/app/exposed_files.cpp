#include "exposed_files.h"

#include <sys/stat.h>

#include <cstdio>

#include "syncrelay/config/text_file.h"

namespace syncrelay {
namespace {

constexpr mode_t kPermissions = 07777;

mode_t mode_of(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 ? found.st_mode & kPermissions : 0;
}

// Of tokens' keys: what signs them is secret (one line, or of the type "oct" in a set), what only
// checks them is not.
bool holds_secret(const std::string& path) {
  const auto text = read_text_file(path);
  if (!text) return false;
  const std::size_t begin = text.value().find_first_not_of(" \t\r\n");
  const bool is_set = begin != std::string::npos && text.value()[begin] == '{';
  if (is_set) return text.value().find("\"oct\"") != std::string::npos;
  return text.value().find("-----BEGIN ") == std::string::npos;
}

}  // namespace

ExposedFiles::ExposedFiles(const Config& config, const Log& log) : log_(log) {
  const auto watch = [this](const std::string& path, Secret secret) {
    if (!path.empty()) files_.push_back({path, secret});
  };
  watch(config.tls_key, Secret::always);
  watch(config.admin_token, Secret::always);
  watch(config.curve_key, Secret::always);
  watch(config.curve_clients, Secret::never);
  watch(config.token_key, Secret::by_content);
  watch(config.token_jwks, Secret::by_content);
}

void ExposedFiles::tell() {
  for (File& file : files_) tell(file);
}

void ExposedFiles::tell_if_changed() {
  for (File& file : files_) {
    if (mode_of(file.path) != file.seen) tell(file);
  }
}

void ExposedFiles::tell(File& file) const {
  file.seen = mode_of(file.path);
  const bool written = (file.seen & S_IWOTH) != 0;
  const bool secret = file.secret == Secret::always ||
                      (file.secret == Secret::by_content && holds_secret(file.path));
  const bool read = (file.seen & S_IROTH) != 0 && secret;
  if (!written && !read) return;
  char mode[16];
  std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(file.seen));
  log_.warning(written ? "everybody on this host can write this file: whoever does has its power"
                       : "everybody on this host can read this secret file",
               {{"file", file.path}, {"mode", mode}, {"better", "chmod 600, or 640"}});
}

}  // namespace syncrelay
