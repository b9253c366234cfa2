#include "curve_files.h"

#include <algorithm>
#include <utility>

#include "syncrelay/cli/curve_secret.h"
#include "syncrelay/config/curve_keys.h"

namespace syncrelay {

CurveFiles::CurveFiles(const Config& config, const Log& log)
    : key_path_(config.curve_key), log_(log), files_({config.curve_clients}) {}

Result<std::vector<std::string>, FileError> CurveFiles::read_clients() {
  const auto text = files_.read(0);
  if (!text) return FileError{"cannot be read: " + text.error().reason};
  auto keys = config::curve_keys_in(text.value());
  if (!keys) return keys.error();
  const auto& listed = keys.value();
  if (std::find(listed.begin(), listed.end(), secret_key_) != listed.end())
    return FileError{"lists what --curve-key holds: one of both is in the wrong file"};
  return std::move(keys).value();
}

Result<void, std::string> CurveFiles::load() {
  const auto own = read_curve_secret(key_path_);
  if (!own) return own.error();
  secret_key_ = own.value().secret;
  const auto clients = read_clients();
  if (!clients) return files_.path(0) + ": " + clients.error().reason;
  clients_.replace(clients.value());
  if (clients.value().empty()) {
    log_.warning("no key of a backend is listed: nobody can connect to the tcp:// endpoints",
                 {{"file", files_.path(0)}});
  }
  return {};
}

void CurveFiles::reload() {
  auto clients = read_clients();
  if (clients && clients.value().empty()) clients = FileError{"lists no key"};
  if (!clients) {
    log_.error("the keys of backends stay what they were: the file cannot be used",
               {{"file", files_.path(0)}, {"why", clients.error().reason}});
    return;
  }
  clients_.replace(clients.value());
  log_.info("the keys of backends were read again",
            {{"file", files_.path(0)}, {"keys", std::uint64_t{clients.value().size()}}});
}

void CurveFiles::reload_if_changed() {
  if (files_.changed()) reload();
}

}  // namespace syncrelay
