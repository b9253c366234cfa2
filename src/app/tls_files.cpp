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
  auto seen = server_.look_at(certificate.value(), key.value());
  if (!seen) return described(seen.error());
  const std::string late = out_of_time(seen.value());
  if (used_ && !late.empty() && out_of_time(*used_).empty())
    return Fault{files_.path(kCertificate),
                 late + ", and the one in use is good until " + text_of(used_->expires)};
  auto made = server_.use(certificate.value(), key.value());
  if (!made) return described(made.error());
  used_ = made.value();
  return made.value();
}

TlsFiles::Fault TlsFiles::described(const TlsServer::Fault& fault) const {
  using Of = TlsServer::Fault::Of;
  if (fault.of == Of::pair) {
    return {files_.path(kKey),
            fault.why + " in " + files_.path(kCertificate) + ", whose first one has to be its own"};
  }
  return {files_.path(fault.of == Of::key ? kKey : kCertificate), fault.why};
}

Result<void, std::string> TlsFiles::load() {
  const auto certificate = read();
  if (!certificate) return certificate.error().file + ": " + certificate.error().why;
  warn_if_out_of_time(certificate.value());
  return {};
}

void TlsFiles::reload() {
  const auto certificate = read();
  if (!certificate) {
    log_.error("the certificate stays what it was: the files cannot be used",
               {{"file", certificate.error().file}, {"why", certificate.error().why}});
    return;
  }
  if (warn_if_out_of_time(certificate.value())) return;
  log_.info("the certificate was read again", {{"file", files_.path(kCertificate)},
                                               {"subject", certificate.value().subject},
                                               {"expires", text_of(certificate.value().expires)}});
}

void TlsFiles::reload_if_changed() {
  if (files_.changed()) reload();
}

std::string TlsFiles::out_of_time(const TlsServer::Certificate& certificate) const {
  constexpr std::int64_t kSecond = 1'000'000;
  const std::int64_t now = clock_.wall().microseconds / kSecond;
  if (certificate.expires <= now) return "the certificate has expired";
  return certificate.begins > now ? "the certificate does not count yet" : "";
}

// It is used all the same: who does not look at dates goes on, and it may be the host's clock.
bool TlsFiles::warn_if_out_of_time(const TlsServer::Certificate& certificate) const {
  const std::string late = out_of_time(certificate);
  if (late.empty()) return false;
  log_.warning(late + ": clients refuse it", {{"file", files_.path(kCertificate)},
                                              {"subject", certificate.subject},
                                              {"begins", text_of(certificate.begins)},
                                              {"expires", text_of(certificate.expires)}});
  return true;
}

}  // namespace syncrelay
