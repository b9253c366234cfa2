#include "client_replies.h"

#include <memory>
#include <utility>
#include <variant>

#include "syncrelay/protocol/server_message.h"

namespace syncrelay {
namespace {

std::string message_of(const Reply& reply, const std::string& ref) {
  if (const auto* rejection = std::get_if<Rejection>(&reply.content))
    return error_message(ref, name(rejection->reason), rejection->detail);
  if (const auto* refused = std::get_if<RefusedMessage>(&reply.content))
    return error_message(ref, *refused);
  return ack_message(ref);
}

}  // namespace

void ClientReplies::take(std::size_t shard, const Said& said) {
  if (said.ref.empty()) return intake_.take(said, kNobody);
  const Ticket ticket = next_ticket_++;
  waiting_.emplace(ticket, Asking{shard, said.connection, said.ref});
  intake_.take(said, {ticket, kFirstClientTicket + said.connection});
}

bool ClientReplies::take(const Reply& reply) {
  if (reply.ticket < kFirstClientTicket) return false;
  const Asking asking = std::move(waiting_.extract(reply.ticket).mapped());
  notes_[asking.shard].notes.push_back({asking.connection, message_of(reply, asking.ref)});
  return true;
}

void ClientReplies::send() {
  for (std::size_t shard = 0; shard < notes_.size(); ++shard) {
    if (notes_[shard].notes.empty()) continue;
    relay_.post(shard, std::make_shared<const Notes>(std::exchange(notes_[shard], {})));
  }
}

}  // namespace syncrelay
