#include "syncrelay/door/body_reader.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace syncrelay {
namespace {

constexpr std::size_t kMaxLine = 256;  // of a chunk's size with its extensions, or in a trailer
constexpr std::size_t kMaxTrailer = 4096;

const HttpFault kTooLarge{413, "the body is larger than --max-command allows"};
const HttpFault kBadLength{400, "the Content-Length is no number of bytes"};
const HttpFault kBadChunk{400, "the chunks of the body are malformed"};

std::optional<std::uint64_t> number_in(std::string_view text, unsigned base,
                                       std::size_t most_digits) {
  if (text.empty() || text.size() > most_digits) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : 99;
    if (digit >= static_cast<int>(base)) return std::nullopt;
    value = value * base + static_cast<unsigned>(digit);
  }
  return value;
}

}  // namespace

Result<BodyReader, HttpFault> BodyReader::of(const HttpRequest& request, std::size_t max_bytes) {
  constexpr std::size_t kMostDigits = 18;
  BodyReader reader;
  reader.max_bytes_ = max_bytes;
  const std::size_t lengths = request.count("content-length");
  const std::size_t codings = request.count("transfer-encoding");
  if (lengths + codings > 1) return HttpFault{400, "the length of the body is told twice"};
  if (codings == 1) {
    if (request.http_1_0()) return HttpFault{400, "HTTP/1.0 has no Transfer-Encoding"};
    if (!equal_ignoring_case(request.field("transfer-encoding"), "chunked"))
      return HttpFault{501, "no Transfer-Encoding but chunked is read here"};
    reader.stage_ = Stage::size;
  } else if (lengths == 1) {
    const auto length = number_in(request.field("content-length"), 10, kMostDigits);
    if (!length) return kBadLength;
    if (*length > max_bytes) return kTooLarge;
    reader.left_ = *length;
    if (*length > 0) reader.stage_ = Stage::counted;
  }
  return reader;
}

std::optional<HttpFault> BodyReader::take(std::string& input) {
  std::string_view rest = input;
  std::optional<HttpFault> fault;
  while (!fault && !over()) {
    const Stage before = stage_;
    const std::size_t size = rest.size();
    fault = step(rest);
    if (stage_ == before && rest.size() == size) break;
  }
  input.erase(0, input.size() - rest.size());
  return fault;
}

std::optional<HttpFault> BodyReader::step(std::string_view& input) {
  if (stage_ == Stage::counted || stage_ == Stage::chunk) {
    const bool counted = stage_ == Stage::counted;
    if (take_bytes(input)) stage_ = counted ? Stage::over : Stage::chunk_end;
    return std::nullopt;
  }
  const auto line = take_line(input);
  if (!line) return fault_;
  if (stage_ == Stage::size) return take_size(*line);
  if (stage_ == Stage::chunk_end) {
    if (!line->empty()) return kBadChunk;
    stage_ = Stage::size;
  } else if (line->empty()) {
    stage_ = Stage::over;
  } else if ((trailer_ += line->size() + 2) > kMaxTrailer) {
    return kBadChunk;
  }
  return std::nullopt;
}

// Extensions are passed over (RFC 9112 section 7.1.1).
std::optional<HttpFault> BodyReader::take_size(std::string_view line) {
  constexpr std::size_t kMostDigits = 15;
  const std::string_view digits = trim(line.substr(0, line.find(';')));
  const auto size = number_in(digits, 16, kMostDigits);
  if (!size || !line.starts_with(digits)) return kBadChunk;
  if (*size > max_bytes_ - body_.size()) return kTooLarge;
  left_ = *size;
  stage_ = *size == 0 ? Stage::trailer : Stage::chunk;
  return std::nullopt;
}

bool BodyReader::take_bytes(std::string_view& input) {
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
  body_.append(input.substr(0, taken));
  input.remove_prefix(taken);
  left_ -= taken;
  return left_ == 0;
}

// It ends with CRLF and nothing less.
std::optional<std::string_view> BodyReader::take_line(std::string_view& input) {
  const std::size_t end = input.find('\n');
  if (end == std::string_view::npos) {
    if (input.size() > kMaxLine) fault_ = kBadChunk;
    return std::nullopt;
  }
  if (end == 0 || end > kMaxLine || input[end - 1] != '\r') {
    fault_ = kBadChunk;
    return std::nullopt;
  }
  const std::string_view line = input.substr(0, end - 1);
  input.remove_prefix(end + 1);
  return line;
}

}  // namespace syncrelay
