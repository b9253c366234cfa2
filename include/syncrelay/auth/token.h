#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "syncrelay/auth/key_set.h"
#include "syncrelay/base/clock.h"
#include "syncrelay/base/result.h"
#include "syncrelay/protocol/access.h"

namespace syncrelay {

inline constexpr std::size_t kMaxTokenBytes = 8 * 1024;
inline constexpr std::size_t kMaxTokenPatterns = 100;    // in `channels`, and in `publish`
inline constexpr std::int64_t kTokenLeewaySeconds = 60;  // by which clocks may differ

// Why a token is not taken. Closed list: it labels `syncrelay_tokens_refused_total`.
enum class TokenFault : std::uint8_t {
  malformed,      // no JWS in compact form with JSON objects inside, or too long
  algorithm,      // another one than the key's, or a header that asks for more than is done here
  unknown_key,    // its kid is none of the set
  signature,      // is not by the key's owner
  expired,        //
  not_yet_valid,  //
  issuer,         //
  audience,       //
  claims          // one has not the form that it must have
};

// For labels and the log; says nothing of what the token holds.
std::string_view name_of(TokenFault fault);

// Why a token is not taken, for the log: nothing of what it holds is in it.
struct TokenRefusal {
  TokenFault fault;
  std::string_view claim = {};  // whose form is wrong, and its name; empty with other faults
  std::string_view form = {};   // that it must have

  TokenRefusal(TokenFault what) : fault(what) {}
  TokenRefusal(std::string_view name, std::string_view needed)
      : fault(TokenFault::claims), claim(name), form(needed) {}
  operator TokenFault() const { return fault; }
};

// What a token has to say besides being genuine. Empty: anything, or nothing.
struct TokenRules {
  std::string issuer;
  std::string audience;
};

// What a token grants (RFC 7519; RFC 8725 section 3 on what is refused): it is signed by a key of
// the set with the algorithm of that key, in force now, and each claim that says something here has
// its form. `exp` has to be there. The grant ends kTokenLeewaySeconds after it.
Result<std::shared_ptr<const Access>, TokenRefusal> verify_token(std::string_view token,
                                                                 const KeySet& keys,
                                                                 const TokenRules& rules,
                                                                 WallTime now);

}  // namespace syncrelay
