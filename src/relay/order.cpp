#include "syncrelay/relay/order.h"

namespace syncrelay {

void LocalOrder::submit(const Letter& letter) {
  ordered_.letter = letter;
  waiting_ = true;
}

const Order::Ordered* LocalOrder::next() {
  if (!waiting_) return nullptr;
  waiting_ = false;
  ordered_.moment.ts = clock_.wall();
  return &ordered_;
}

}  // namespace syncrelay
