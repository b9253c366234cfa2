#include "frame_ring.h"

#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace syncrelay::bench {
namespace {

constexpr std::string_view kHead = R"({"type":"bench","data":)";

char* map_twice(std::size_t capacity) {
  int fd = ::memfd_create("frame_ring", MFD_CLOEXEC);
  void* both = ::mmap(nullptr, 2 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  bool mapped = fd >= 0 && both != MAP_FAILED && ::ftruncate(fd, static_cast<off_t>(capacity)) == 0;
  for (std::size_t half = 0; mapped && half < 2; ++half) {
    mapped = ::mmap(static_cast<char*>(both) + half * capacity, capacity, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED;
  }
  if (!mapped) throw std::system_error(errno, std::generic_category(), "mapping the frame ring");
  ::close(fd);
  return static_cast<char*>(both);
}

// `header` receives 2, 4 or 10 bytes; how many.
std::size_t encode_header(std::size_t payload, std::array<char, 10>& header) {
  header[0] = '\x81';  // final fragment, text
  std::size_t length_bytes = payload < 126 ? 0 : payload < 65536 ? 2 : 8;
  header[1] = static_cast<char>(length_bytes == 0 ? payload : length_bytes == 2 ? 126 : 127);
  for (std::size_t i = 0; i < length_bytes; ++i) {
    header[2 + i] = static_cast<char>(payload >> 8 * (length_bytes - 1 - i));
  }
  return 2 + length_bytes;
}

}  // namespace

FrameRing::FrameRing(std::size_t capacity) : capacity_(capacity), memory_(map_twice(capacity)) {}

FrameRing::~FrameRing() {
  ::munmap(memory_, 2 * capacity_);
}

void FrameRing::append(std::string_view data) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::array<char, 80> tail;
  int tail_size = std::snprintf(tail.data(), tail.size(), R"(,"ts":%lld.%06ld,"seq":%llu})",
                                static_cast<long long>(now.tv_sec), now.tv_nsec / 1000,
                                static_cast<unsigned long long>(++seq_));
  std::size_t payload = kHead.size() + data.size() + static_cast<std::size_t>(tail_size);
  std::array<char, 10> header;
  std::size_t header_size = encode_header(payload, header);
  if (header_size + payload > capacity_) throw std::runtime_error("an event beyond the ring");
  put({header.data(), header_size});
  put(kHead);
  put(data);
  put({tail.data(), static_cast<std::size_t>(tail_size)});
}

std::string_view FrameRing::bytes(std::uint64_t from, std::uint64_t to) const {
  return {memory_ + from % capacity_, static_cast<std::size_t>(to - from)};
}

std::uint64_t FrameRing::frame_end(std::uint64_t position) const {
  auto header = reinterpret_cast<const unsigned char*>(memory_ + position % capacity_);
  std::size_t length_bytes = header[1] < 126 ? 0 : header[1] == 126 ? 2 : 8;
  std::uint64_t payload = length_bytes == 0 ? header[1] : 0;
  for (std::size_t i = 0; i < length_bytes; ++i) payload = payload << 8 | header[2 + i];
  return position + 2 + length_bytes + payload;
}

void FrameRing::put(std::string_view bytes) {
  std::memcpy(memory_ + end_ % capacity_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

}  // namespace syncrelay::bench
