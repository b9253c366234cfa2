#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace syncrelay {

// Which pages may connect. Immutable, so any thread may ask.
class OriginRule {
 public:
  // `listed`: origins as browsers write them ("https://app.example:444", "null"), a default port
  // may be there or not; "*" lists all.
  explicit OriginRule(const std::vector<std::string>& listed);

  // Whether a page of `origin` (RFC 6454 section 7) may connect to `host` (a Host header): the host
  // names are the same, whatever the ports; or both are loopback names, which only this machine
  // gives to its own pages; or the origin is listed. Without an origin it is no browser, and may.
  bool allows(std::string_view origin, std::string_view host) const;

 private:
  bool lists(std::string_view origin) const;

  bool lists_all_;
  std::vector<std::string> listed_;
};

// The option that would list the origin, to be told to an operator. What is no origin, and may have
// been made up for a shell to run, is left out.
std::string origin_option(std::string_view origin);

// What the close frame to a page says that may not connect: the option that would let it. At most
// kMaxCloseReason bytes; an origin that is longer or no plain text is left out.
std::string origin_refusal(std::string_view origin);

}  // namespace syncrelay
