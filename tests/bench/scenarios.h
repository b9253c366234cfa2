#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace syncrelay::bench {

// One run of the load client, as the command line asks for it.
struct Load {
  std::uint16_t port = 0;
  std::vector<pid_t> server;  // the processes whose CPU and memory count
  std::string publish;        // see make_publisher
  std::string control;        // a control socket's endpoint (confirmed)
  unsigned greetings = 1;     // messages that every new client gets by itself
  bool tls = false;           // clients speak TLS
  std::size_t clients = 1000;
  std::uint64_t events = 1000;
  std::size_t bytes = 200;   // of every event's data
  bool typical = false;      // that is what backends say, and no string of one letter
  bool deflate = false;      // clients offer permessage-deflate
  unsigned repeat = 5;       // bursts; the median counts
  double rate = 100;         // events per second, when paced
  std::size_t channels = 0;  // of which every client follows `follows`; 0: the default one
  std::size_t follows = 1;   // channels of each client
  std::size_t list = 1;      // channels that one command goes to
};

// Name and number, in the order to print.
using Figures = std::vector<std::pair<std::string, double>>;

// All events at once; until the last client has the last one.
Figures run_burst(const Load& load);

// Events at a steady rate: what one delivery costs, and how late it comes.
Figures run_paced(const Load& load);

// One command after the other at a steady rate, each confirmed: how late the answer comes.
Figures run_confirmed(const Load& load);

// `events` events in every channel in turn, each to those who follow it, at a steady rate of
// commands: what one delivery costs.
Figures run_channels(const Load& load);

// Clients connect and stay: what an accept costs, and what an idle connection holds.
Figures run_accept(const Load& load);

}  // namespace syncrelay::bench
