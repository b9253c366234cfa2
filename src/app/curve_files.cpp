#include "curve_files.h"

#include "syncrelay/config/curve_keys.h"

namespace syncrelay {

CurveFiles::CurveFiles(const Config& config, const Log& log)
    : key_path_(config.curve_key), log_(log), files_({config.curve_clients}) {}

Result<std::vector<std::string>, FileError> CurveFiles::read_clients() {
  const auto text = files_.read(0);
  if (!text) return FileError{"cannot be read: " + text.error().reason};
  return config::curve_keys_in(text.value());
}

Result<void, std::string> CurveFiles::load() {
  const auto key = config::read_curve_key(key_path_);
  if (!key) return key.error().reason;
  secret_key_ = key.value();
  const auto clients = read_clients();
  if (!clients) return files_.path(0) + ": " + clients.error().reason;
  clients_.replace(clients.value());
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
