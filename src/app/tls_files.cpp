#include "tls_files.h"

#include <ctime>

namespace syncrelay {
namespace {

enum File : std::size_t { kCertificate, kKey };

// As RFC 3339 has it.
std::string text_of(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace

TlsFiles::TlsFiles(const Config& config, const Clock& clock, const Log& log)
    : clock_(clock), log_(log), files_({config.tls_cert, config.tls_key}), server_(clock) {}

Result<TlsServer::Certificate, TlsFiles::Fault> TlsFiles::read() {
  const auto certificate = files_.read(kCertificate);
  const auto key = files_.read(kKey);
  if (!certificate)
    return Fault{files_.path(kCertificate), "cannot be read: " + certificate.error().reason};
  if (!key) return Fault{files_.path(kKey), "cannot be read: " + key.error().reason};
  const auto made = server_.use(certificate.value(), key.value());
  if (made) return made.value();
  const bool of_key = made.error().of == TlsServer::Fault::Of::key;
  return Fault{files_.path(of_key ? kKey : kCertificate), made.error().why};
}

Result<void, std::string> TlsFiles::load() {
  const auto certificate = read();
  if (!certificate) return certificate.error().file + ": " + certificate.error().why;
  warn_if_expired(certificate.value());
  return {};
}

void TlsFiles::reload() {
  const auto certificate = read();
  if (!certificate) {
    log_.error("the certificate stays what it was: the files cannot be used",
               {{"file", certificate.error().file}, {"why", certificate.error().why}});
    return;
  }
  if (warn_if_expired(certificate.value())) return;
  log_.info("the certificate was read again", {{"file", files_.path(kCertificate)},
                                               {"subject", certificate.value().subject},
                                               {"expires", text_of(certificate.value().expires)}});
}

void TlsFiles::reload_if_changed() {
  if (files_.changed()) reload();
}

// It is used all the same: who does not look at dates goes on, and it may be the host's clock.
bool TlsFiles::warn_if_expired(const TlsServer::Certificate& certificate) const {
  constexpr std::int64_t kSecond = 1'000'000;
  if (certificate.expires > clock_.wall().microseconds / kSecond) return false;
  log_.warning("the certificate has expired: clients refuse it",
               {{"file", files_.path(kCertificate)},
                {"subject", certificate.subject},
                {"expires", text_of(certificate.expires)}});
  return true;
}

}  // namespace syncrelay
