#include "stop_signals.h"

#include <libwebsockets.h>

#include <utility>

namespace syncrelay {
namespace {

lws_context* volatile stop_loop = nullptr;
volatile std::sig_atomic_t stop_number = 0;

// What is ignored stays so.
void take(int number, const struct sigaction& note, struct sigaction& before) {
  sigaction(number, &note, &before);
  if (before.sa_handler == SIG_IGN) sigaction(number, &before, nullptr);
}

}  // namespace

StopSignals::StopSignals(lws_context* context) {
  stop_loop = context;
  struct sigaction note {};
  note.sa_handler = [](int number) {
    stop_number = number;
    lws_cancel_service(stop_loop);
  };
  take(SIGINT, note, interrupt_);
  take(SIGTERM, note, terminate_);
}

StopSignals::~StopSignals() {
  sigaction(SIGINT, &interrupt_, nullptr);
  sigaction(SIGTERM, &terminate_, nullptr);
  if (const int number = std::exchange(stop_number, 0); number != 0) raise(number);
}

int StopSignals::came() {
  return stop_number;
}

void StopSignals::forget() {
  stop_number = 0;
}

}  // namespace syncrelay
