// Drives a ClusterLog by lines on standard input, and says on standard output what it was told. Its
// state is the row of all texts that were ever appended, by whomever; a text ends with a semicolon.
//
//   log_driver URL [option NAME VALUE]… [beat|silent|bid_wait MS]… [entries COUNT] [bytes COUNT]
//
//   append TEXT        burst PREFIX COUNT      appends, waiting for room
//   state              one line: state EPOCH COUNT TEXT;TEXT;…
//   history            the longest such row told under each epoch, then "."
//   health             health REACHABLE CAUGHT_UP ROOM
//   hold / release     hands no checkpoint in until released
//   fill BYTES         makes each checkpoint that much larger
//   latency COUNT      appends one by one: latency MEDIAN_US
//   load COUNT BYTES   appends as fast as there is room: load PER_SECOND ENTRIES
//   quiet              says nothing more of letters
//   stop               ends in order; the end of the input just ends
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>

#include "syncrelay/base/log.h"
#include "syncrelay/redis/cluster_log.h"

namespace syncrelay {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

ClusterLog::Settings settings_of(int count, char** words) {
  ClusterLog::Settings settings;
  const auto url = RedisUrl::parse(words[1]);
  if (!url) {
    std::cerr << url.error() << '\n';
    std::exit(2);
  }
  settings.url = url.value();
  for (int at = 2; at + 1 < count; at += 2) {
    const std::string_view name = words[at];
    const std::uint64_t number = std::strtoull(words[at + 1], nullptr, 10);
    if (name == "option") settings.options.emplace_back(words[at + 1], words[at + 2]), ++at;
    if (name == "beat") settings.beat = milliseconds(number);
    if (name == "silent") settings.silent = milliseconds(number);
    if (name == "bid_wait") settings.bid_wait = milliseconds(number);
    if (name == "entries") settings.checkpoint_entries = number;
    if (name == "bytes") settings.checkpoint_bytes = number;
  }
  return settings;
}

class Driver {
 public:
  explicit Driver(const ClusterLog::Settings& settings)
      : log_({LogLevel::debug}), cluster_(settings, log_) {}

  void run() {
    cluster_.start();
    say("relay " + cluster_.relay().text());
    while (!over_) wait();
  }

 private:
  void say(const std::string& line) { std::cout << line << '\n' << std::flush; }

  void wait() {
    pollfd watched[] = {{STDIN_FILENO, POLLIN, 0}, {cluster_.fd(), POLLIN, 0}};
    poll(watched, 2, waiting_.empty() ? -1 : 1);
    if (watched[1].revents != 0) take();
    if (watched[0].revents != 0) read_commands();
    append_waiting();
  }

  void take() {
    cluster_.take(events_);
    for (ClusterEvent& event : events_) std::visit([this](auto& told) { on(told); }, event);
  }

  void read_commands() {
    char bytes[65'536];
    const ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);
    if (size <= 0) std::_Exit(0);  // no word to the cluster
    input_.append(bytes, static_cast<std::size_t>(size));
    for (std::size_t end; (end = input_.find('\n')) != std::string::npos; input_.erase(0, end + 1))
      command(input_.substr(0, end));
  }

  void command(const std::string& line) {
    std::istringstream words(line);
    std::string name, text;
    std::uint64_t count = 0, size = 0;
    words >> name;
    if (name == "append" && words >> text) waiting_.push_back(text + ';');
    if (name == "burst" && words >> text >> count) {
      for (std::uint64_t at = 0; at < count; ++at)
        waiting_.push_back(text + std::to_string(at) + ';');
    }
    if (name == "state") say("state " + shown(epoch_, row_));
    if (name == "history") tell_history();
    if (name == "health")
      say("health " + std::to_string(cluster_.reachable()) + ' ' +
          std::to_string(cluster_.caught_up()) + ' ' + std::to_string(cluster_.has_room()));
    if (name == "hold") holding_ = true;
    if (name == "release") release();
    if (name == "fill" && words >> size) filling_.assign(size, 'x');
    if (name == "quiet") quiet_ = true;
    if (name == "latency" && words >> count) measure_latency(count);
    if (name == "load" && words >> count >> size) measure_load(count, size);
    if (name == "stop") {
      cluster_.stop();
      over_ = true;
    }
  }

  void append_waiting() {
    std::size_t sent = 0;
    while (sent < waiting_.size() && cluster_.append(waiting_[sent])) ++sent;
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(sent));
  }

  void on(LettersCame& came) {
    own_ += came.own_appends;
    ++entries_;
    if (!counting_) row_ += came.data;
    remember();
    if (!quiet_)
      say("letters " + came.id.text() + ' ' + came.from.text() + ' ' +
          std::to_string(came.own_appends) + ' ' + came.data);
  }
  void on(const RelayGone& gone) { say("gone " + gone.id.text() + ' ' + gone.relay.text()); }
  void on(const EpochFounded& founded) {
    epoch_ = founded.epoch;
    remember();
    say("founded " + founded.id.text() + ' ' + founded.epoch);
  }
  void on(const StateLoaded& loaded) {
    epoch_ = loaded.epoch;
    row_ = loaded.state.substr(loaded.state.find('\n') + 1);
    own_ += loaded.own_appends;
    remember();
    say("loaded " + loaded.id.text() + ' ' + loaded.epoch + ' ' +
        std::to_string(loaded.own_appends) + ' ' + row_);
  }
  void on(const OwnIdChanged& changed) {
    say("renamed " + changed.relay.text() + ' ' + std::to_string(changed.own_appends));
  }
  void on(const CheckpointWanted& wanted) {
    if (!quiet_) say("wanted " + std::to_string(wanted.number));
    if (holding_) {
      held_ = wanted.number;
    } else {
      cluster_.put_checkpoint(wanted.number, filling_ + '\n' + row_);
    }
  }
  void on(const CaughtUp&) { say("caught_up"); }
  void on(const LogFailed& failed) { say("failed " + failed.why); }

  void release() {
    holding_ = false;
    if (held_ != 0) cluster_.put_checkpoint(held_, filling_ + '\n' + row_);
    held_ = 0;
  }

  void remember() {
    if (counting_) return;
    std::string& longest = history_[epoch_];
    if (row_.size() > longest.size()) longest = row_;
  }

  static std::string shown(const std::string& epoch, const std::string& row) {
    return (epoch.empty() ? "-" : epoch) + ' ' +
           std::to_string(std::count(row.begin(), row.end(), ';')) + ' ' + row;
  }

  void tell_history() {
    for (const auto& [epoch, row] : history_) say("history " + shown(epoch, row));
    say(".");
  }

  void take_until_own(std::uint64_t own) {
    while (own_ < own) {
      pollfd watched = {cluster_.fd(), POLLIN, 0};
      poll(&watched, 1, 1000);
      take();
    }
  }

  void measure_latency(std::uint64_t count) {
    std::vector<std::int64_t> times;
    for (std::uint64_t at = 0; at < count; ++at) {
      const auto begin = steady_clock::now();
      const std::uint64_t goal = own_ + 1;
      cluster_.append("x;");
      take_until_own(goal);
      times.push_back(
          std::chrono::duration_cast<microseconds>(steady_clock::now() - begin).count());
    }
    std::sort(times.begin(), times.end());
    say("latency " + std::to_string(times[times.size() / 2]));
  }

  void measure_load(std::uint64_t count, std::uint64_t size) {
    const std::string letter = std::string(size - 1, 'x') + ';';
    const std::uint64_t goal = own_ + count, entries = entries_;
    const auto begin = steady_clock::now();
    counting_ = true;
    for (std::uint64_t sent = 0; sent < count;) {
      if (cluster_.append(letter)) {
        ++sent;
      } else {
        take_until_own(own_ + 1);
      }
    }
    take_until_own(goal);
    const auto took = std::chrono::duration<double>(steady_clock::now() - begin).count();
    say("load " + std::to_string(static_cast<std::uint64_t>(static_cast<double>(count) / took)) +
        ' ' + std::to_string(entries_ - entries));
  }

  Log log_;
  ClusterLog cluster_;
  std::vector<ClusterEvent> events_;
  std::string input_;
  std::vector<std::string> waiting_;
  std::string epoch_, row_, filling_;
  std::map<std::string, std::string> history_;
  std::uint64_t own_ = 0, entries_ = 0, held_ = 0;
  bool over_ = false, quiet_ = false, counting_ = false, holding_ = false;
};

}  // namespace
}  // namespace syncrelay

int main(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);
  if (count < 2) return 2;
  syncrelay::Driver(syncrelay::settings_of(count, words)).run();
  return 0;
}
