#include "support/test_relay.h"

#include <memory>
#include <stdexcept>

#include "support/frame_parser.h"
#include "syncrelay/protocol/frame.h"

namespace syncrelay::testing {

Result<Accepted, Rejection> TestRelay::send(std::string_view json) {
  const auto command = decoder.decode(json);
  if (!command) return command.error();
  return relay.apply(*command.value(), {clock.wall()});
}

std::vector<Update> TestRelay::take_updates() {
  if (!relay.publish()) throw std::runtime_error("the store refused");
  std::vector<Letter> letters;
  mailbox_.take(letters);
  std::vector<Update> updates;
  for (Letter& letter : letters) updates.push_back(std::get<Update>(std::move(letter)));
  return updates;
}

std::string wire_of(const Update& update) {
  const ByteSpan bytes = update.chunk->read(update.position, update.position + update.size);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string text_of(const Update& update) {
  const auto messages = parse_messages(wire_of(update));
  return messages.size() == 1 ? messages.front().text : "error: not one message";
}

Update make_event(Seq seq, std::uint64_t position, std::string_view text, TimePoint accepted) {
  const std::size_t size = wire_size(text.size());
  auto chunk = std::make_shared<LogChunk>(position, size);
  MessageWriter(chunk->at(0), text.size()).write(text);
  Update update;
  update.chunk = std::move(chunk);
  update.seq = seq;
  update.position = position;
  update.size = size;
  update.accepted = accepted;
  return update;
}

}  // namespace syncrelay::testing
