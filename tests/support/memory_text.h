#pragma once

#include <openssl/bio.h>

#include <string>

namespace syncrelay::testing {

// What was written to it, which is freed.
inline std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(memory);
  return text;
}

}  // namespace syncrelay::testing
