#include "publisher.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <random>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <vector>
#include <zmq.hpp>

namespace syncrelay::bench {
namespace {

// One for each turn through the channels.
std::vector<std::string> commands(const std::string& broadcast, Channels channels) {
  if (channels.count == 0) return {broadcast + '}'};
  std::vector<std::string> all;
  for (std::size_t first = 0; first < channels.count; first += channels.list) {
    std::string command = broadcast + (channels.list == 1 ? R"(,"channel":)" : R"(,"channels":[)");
    for (std::size_t number = first; number < std::min(first + channels.list, channels.count);
         ++number)
      command += (number == first ? "\"" : ",\"") + Channels::name(number) + '"';
    all.push_back(command + (channels.list == 1 ? "}" : "]}"));
  }
  return all;
}

class ZmqPublisher : public Publisher {
 public:
  ZmqPublisher(const std::string& endpoint, const std::string& data, Channels channels)
      : commands_(commands(R"({"op":"broadcast","type":"bench","data":)" + data, channels)) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.connect(endpoint);
  }

  void publish() override {
    socket_.send(zmq::buffer(commands_[next_]), zmq::send_flags::none);
    next_ = (next_ + 1) % commands_.size();
  }

 private:
  std::vector<std::string> commands_;
  std::size_t next_ = 0;
  zmq::context_t context_;
  zmq::socket_t socket_{context_, zmq::socket_type::push};
};

class HttpPublisher : public Publisher {
 public:
  HttpPublisher(std::uint16_t port, const std::string& body)
      : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    request_ = "POST /publish HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n" +
               ("Content-Length: " + std::to_string(body.size())) + "\r\n\r\n" + body;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
      throw std::system_error(errno, std::generic_category(), "the publisher's connect");
    }
  }

  ~HttpPublisher() override { ::close(fd_); }
  HttpPublisher(const HttpPublisher&) = delete;
  HttpPublisher& operator=(const HttpPublisher&) = delete;

  void publish() override {
    while (unanswered_ >= kPipelined) read_answers();
    for (std::string_view rest = request_; !rest.empty();) {
      ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent < 0) throw std::system_error(errno, std::generic_category(), "the publisher's send");
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    ++unanswered_;
  }

 private:
  // Requests on the way: enough to keep the server busy, too few to block both sides' writes.
  static constexpr int kPipelined = 32;

  void read_answers() {
    std::array<char, 16384> buffer;
    ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (size <= 0) throw std::runtime_error("the server closed the publisher's connection");
    constexpr std::string_view kStatusLine = "HTTP/1.1 ";
    answers_.append(buffer.data(), static_cast<std::size_t>(size));
    std::size_t from = 0;
    std::size_t found = 0;
    while ((found = answers_.find(kStatusLine, from)) != std::string::npos) {
      from = found + kStatusLine.size();
      if (from == answers_.size()) break;  // the status is still to come
      if (answers_[from] != '2') throw std::runtime_error("publish refused: " + answers_);
      --unanswered_;
    }
    std::size_t begun = answers_.size() - std::min(answers_.size() - from, kStatusLine.size());
    answers_.erase(0, found != std::string::npos ? found : begun);
  }

  int fd_;
  std::string request_;
  std::string answers_;  // what may be the beginning of the next status line
  int unanswered_ = 0;
};

}  // namespace

struct Asker::Socket {
  zmq::context_t context;
  zmq::socket_t dealer{context, zmq::socket_type::dealer};
};

Asker::Asker(const std::string& endpoint, const std::string& data)
    : socket_(std::make_unique<Socket>()),
      command_(R"({"op":"broadcast","type":"bench","data":)" + data + '}') {
  socket_->dealer.set(zmq::sockopt::linger, 0);
  socket_->dealer.connect(endpoint);
}

Asker::~Asker() = default;

void Asker::ask() {
  socket_->dealer.send(zmq::buffer(command_), zmq::send_flags::none);
  zmq::message_t answer;
  if (!socket_->dealer.recv(answer) ||
      answer.to_string_view().find(R"("ok":true)") == std::string_view::npos)
    throw std::runtime_error("command refused: " + answer.to_string());
}

std::string text_data(std::size_t size) {
  if (size < 2) throw std::runtime_error("an event's data has at least 2 bytes");
  return '"' + std::string(size - 2, 'x') + '"';
}

std::string typical_data(std::size_t size) {
  std::mt19937 numbers(7);
  const auto number = [&](unsigned below) { return std::to_string(numbers() % below); };
  std::string data = "[";
  while (data.size() < size) {
    data += data.size() > 1 ? "," : "";
    data += R"({"id":"player-)" + number(1'000'000) + R"(","name":"Player )" + number(10'000) +
            R"(","state":"playing","volume":)" + number(101) + R"(,"track":{"title":"Song )" +
            number(100'000) + R"(","artist":"Artist )" + number(10'000) + R"(","seconds":)" +
            number(1000) + '.' + number(1000) + R"(},"position":)" + number(1000) + "}";
  }
  return data + ']';
}

std::unique_ptr<Publisher> make_publisher(const std::string& target, const std::string& data,
                                          Channels channels) {
  if (target.starts_with("zmq:")) {
    return std::make_unique<ZmqPublisher>(target.substr(4), data, channels);
  }
  if (target.starts_with("http:")) {
    auto port = static_cast<std::uint16_t>(std::stoul(target.substr(5)));
    return std::make_unique<HttpPublisher>(port, data);
  }
  throw std::runtime_error("--publish " + target + ": neither zmq:ENDPOINT nor http:PORT");
}

}  // namespace syncrelay::bench
