#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "syncrelay/base/result.h"
#include "syncrelay/ws/http_request.h"

namespace syncrelay {

// Reads the body of one request (RFC 9112 sections 6 and 7), by its Content-Length or in chunks.
// What could be read in two ways is refused, so that nothing behind a body can be taken for another
// request: both lengths, a length twice, other codings, sloppy chunks. One thread at a time.
class BodyReader {
 public:
  // No body at all.
  BodyReader() = default;

  // Of this request; a body of more than `max_bytes` is refused with 413.
  static Result<BodyReader, HttpFault> of(const HttpRequest& request, std::size_t max_bytes);

  // Takes off the beginning of `input` what belongs to the body. What is wrong, if anything is:
  // nothing of that connection can be read any more.
  std::optional<HttpFault> take(std::string& input);

  bool over() const { return stage_ == Stage::over; }
  std::size_t received() const { return body_.size(); }
  // Precondition: over().
  std::string take_body() { return std::move(body_); }

 private:
  enum class Stage : std::uint8_t { over, counted, size, chunk, chunk_end, trailer };

  std::optional<HttpFault> take_size(std::string_view line);
  bool take_bytes(std::string_view& input);
  // The next line without its end; nullopt: it is not whole yet, or see fault_.
  std::optional<std::string_view> take_line(std::string_view& input);
  std::optional<HttpFault> step(std::string_view& input);

  Stage stage_ = Stage::over;
  std::size_t max_bytes_ = 0;
  std::uint64_t left_ = 0;   // of the body, or of the chunk
  std::size_t trailer_ = 0;  // bytes of it so far
  std::optional<HttpFault> fault_;
  std::string body_;
};

}  // namespace syncrelay
