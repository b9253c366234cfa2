#include "auth/secret_check.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>

#include "syncrelay/auth/base64url.h"

namespace syncrelay {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// Bytes that are a secret are hardly ever text.
bool is_text(std::string_view content) {
  return std::all_of(content.begin(), content.end(), [](char c) {
    return static_cast<unsigned char>(c) >= 0x20 || kBlanks.find(c) != kBlanks.npos;
  });
}

std::string_view without_blanks(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

// Whether one of OpenSSL's readers of DER takes all of it.
template <auto Read, auto Free>
bool is_whole(std::string_view bytes) {
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  const unsigned char* const end = at + bytes.size();
  auto* const read = Read(nullptr, &at, static_cast<long>(bytes.size()));
  const bool whole = read != nullptr && at == end;
  Free(read);
  ERR_clear_error();
  return whole;
}

// A sequence that has two bytes or more for its length, and is as long as that says: of other bytes
// one in millions is. Shorter keys are told by what they are.
bool is_long_sequence(std::string_view bytes) {
  constexpr unsigned kLongForm = 0x80;
  if (bytes.size() < 4 || bytes[0] != '\x30') return false;
  const unsigned count = static_cast<unsigned char>(bytes[1]) - kLongForm;
  if (count < 1 || count > 2) return false;
  std::size_t length = 0;
  for (std::size_t i = 0; i < count; ++i)
    length = length * 256 + static_cast<unsigned char>(bytes[2 + i]);
  return length == bytes.size() - 2 - count;
}

bool is_der(std::string_view bytes) {
  if (!bytes.starts_with('\x30')) return false;
  return is_long_sequence(bytes) || is_whole<d2i_PUBKEY, EVP_PKEY_free>(bytes) ||
         is_whole<d2i_X509, X509_free>(bytes) || is_whole<d2i_AutoPrivateKey, EVP_PKEY_free>(bytes);
}

// DER in base64, as some providers show their key, without the lines around it that PEM has.
bool is_der_in_base64(std::string_view text) {
  std::string url;
  for (const char c : text) {
    if (kBlanks.find(c) != kBlanks.npos || c == '=') continue;
    url += c == '+' ? '-' : c == '/' ? '_' : c;
  }
  const auto bytes = decode_base64url(url);
  return bytes && is_der(*bytes);
}

bool is_of_ssh(std::string_view text) {
  constexpr std::array<std::string_view, 6> kFronts = {
      "ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "---- BEGIN SSH2 ", "PuTTY-User-Key"};
  // How a key begins behind its kind, wherever that stands.
  constexpr std::array<std::string_view, 3> kBlobs = {"AAAAB3NzaC1yc2E", "AAAAC3NzaC1lZDI1",
                                                      "AAAAE2VjZHNhLXNoYTIt"};
  return std::any_of(kFronts.begin(), kFronts.end(),
                     [text](std::string_view front) { return text.starts_with(front); }) ||
         std::any_of(kBlobs.begin(), kBlobs.end(),
                     [text](std::string_view blob) { return text.find(blob) != text.npos; });
}

bool is_token(std::string_view text) {
  return text.starts_with("eyJ") && std::count(text.begin(), text.end(), '.') == 2;
}

std::optional<std::string> why_no_secret_text(std::string_view text) {
  constexpr std::string_view kInPem =
      "a public key is taken in PEM, which begins with -----BEGIN PUBLIC KEY-----";
  if (text.starts_with('{') || text.starts_with('['))
    return "this is JSON, and no secret: a set of keys goes to --token-jwks";
  if (is_of_ssh(text))
    return "this is a key of SSH, and no secret: " + std::string(kInPem) +
           " (`ssh-keygen -e -m PKCS8 -f FILE`)";
  if (text.starts_with("# syncrelay CURVE "))
    return "this is a key of CURVE, and no secret for tokens (`openssl rand -hex 32` makes one)";
  if (is_der_in_base64(text))
    return "this is a key or a certificate in base64, and no secret: " + std::string(kInPem);
  if (text.starts_with('<')) return "this is XML, and no secret: " + std::string(kInPem);
  if (text.starts_with("http://") || text.starts_with("https://"))
    return "this is an address, and no secret: fetch the set of keys, and give it to --token-jwks";
  if (is_token(text)) return "this is a token, and no secret by which tokens are signed";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> why_no_secret(std::string_view content) {
  if (is_der(content) || is_der(content.substr(0, content.find_last_not_of('\n') + 1)))
    return "this is a key or a certificate in DER, and no secret: a public key is taken in PEM "
           "(`openssl pkey -pubin -inform DER -in FILE`, of a certificate `openssl x509 -inform "
           "DER -in FILE -noout -pubkey`)";
  return is_text(content) ? why_no_secret_text(without_blanks(content)) : std::nullopt;
}

}  // namespace syncrelay
