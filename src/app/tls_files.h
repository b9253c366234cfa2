#pragma once

#include <optional>
#include <string>

#include "syncrelay/base/clock.h"
#include "syncrelay/base/log.h"
#include "syncrelay/base/result.h"
#include "syncrelay/config/config.h"
#include "syncrelay/tls/tls_server.h"
#include "watched_files.h"

namespace syncrelay {

// The files that have the certificate and its key: read at the start, and again when one of them
// has changed. One thread at a time.
class TlsFiles {
 public:
  // Precondition: `config` names them. `clock` and `log` must outlive it.
  TlsFiles(const Config& config, const Clock& clock, const Log& log);

  // The error names the file and says what is wrong with it.
  Result<void, std::string> load();

  // Precondition: load() went well. Lives as long as this.
  TlsServer& server() { return server_; }

  // Reads both again. A pair that cannot be used is told, and the one before stays; that may be
  // because one of the two is not written yet. So is one that has expired, or does not count yet,
  // in the place of one that does.
  void reload();
  // The same if one of them is another one than that which was read last.
  void reload_if_changed();

 private:
  struct Fault {
    const std::string& file;
    std::string why;
  };

  Result<TlsServer::Certificate, Fault> read();
  Fault described(const TlsServer::Fault& fault) const;
  // Why clients refuse it now; empty: they do not for its time.
  std::string out_of_time(const TlsServer::Certificate& certificate) const;
  bool warn_if_out_of_time(const TlsServer::Certificate& certificate) const;

  const Clock& clock_;
  const Log& log_;
  WatchedFiles files_;
  TlsServer server_;
  std::optional<TlsServer::Certificate> used_;
};

}  // namespace syncrelay
