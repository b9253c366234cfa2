#include "client_replies.h"

#include <utility>
#include <variant>

#include "syncrelay/protocol/server_message.h"

namespace syncrelay {

void ClientReplies::publish(std::size_t shard, const Said& said) {
  const Ticket ticket = next_ticket_++;
  waiting_.emplace(ticket, Asking{shard, said.connection, said.ref});
  intake_.take(said.text, ticket);
}

void ClientReplies::acknowledge(std::size_t shard, const Said& said) {
  if (!said.ref.empty()) add({shard, said.connection, said.ref}, ack_message(said.ref));
}

void ClientReplies::refuse(std::size_t shard, const Said& said, RefusedMessage why) {
  counter(stats_.client_messages_refused, why).add();
  if (!said.ref.empty()) add({shard, said.connection, said.ref}, error_message(said.ref, why));
}

bool ClientReplies::take(const Reply& reply) {
  if (reply.ticket < kFirstTicket) return false;
  const Asking asking = std::move(waiting_.extract(reply.ticket).mapped());
  if (asking.ref.empty()) return true;
  if (const auto* rejection = std::get_if<Rejection>(&reply.content)) {
    add(asking, error_message(asking.ref, name(rejection->reason), rejection->detail));
  } else {
    add(asking, ack_message(asking.ref));
  }
  return true;
}

void ClientReplies::add(const Asking& asking, std::string message) {
  notes_[asking.shard].notes.push_back({asking.connection, std::move(message)});
}

void ClientReplies::send() {
  for (std::size_t shard = 0; shard < notes_.size(); ++shard) {
    if (notes_[shard].notes.empty()) continue;
    relay_.post(shard, std::make_shared<const Notes>(std::exchange(notes_[shard], {})));
  }
}

}  // namespace syncrelay
