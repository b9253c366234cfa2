#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/frame_parser.h"
#include "syncrelay/shard/session.h"
#include "syncrelay/shard/transport.h"

namespace syncrelay::testing {

// A connection in memory: takes as little as it is told to, reads back what came, and notes where a
// session breaks the rules of Transport.
class FakeTransport final : public Transport {
 public:
  // Faults, each until flow() unless it says otherwise.
  void refuse_next_write() { refuse_next_ = true; }             // takes nothing of one write
  void take_at_most(std::size_t bytes) { per_write_ = bytes; }  // of each write
  void take_in_all(std::size_t bytes) { room_ = bytes; }        // of all writes together
  void stall() { room_ = 0; }
  void flow();
  // Something happens elsewhere while the next write is under way.
  void at_next_write(std::function<void()> happening) { at_next_write_ = std::move(happening); }
  // From now on the peer acknowledges only what it is told to; before, all that comes.
  void acknowledge_no_more() { acknowledged_ = bytes_; }
  void acknowledge(std::uint64_t bytes) { *acknowledged_ += bytes; }

  // Tells the session that bytes are taken again, if it asked for that.
  void become_writable(Session& session);

  // permessage-deflate is negotiated.
  void inflate() { parser_.inflate(); }

  // Messages that came since the last call.
  std::vector<WireMessage> take_messages() { return parser_.take_messages(); }
  std::vector<std::string> take_texts() { return texts(parser_.take_messages()); }

  bool waits() const { return waits_; }
  bool between_frames() const { return parser_.between_frames(); }
  bool between_messages() const { return parser_.between_messages(); }
  std::optional<CloseCause> closed() const { return closed_; }
  std::uint64_t bytes() const { return bytes_; }  // on the wire
  std::size_t writes() const { return writes_; }
  bool was_limited() const { return was_limited_; }  // ever took less than it was offered

  // What went wrong first: in the stream of frames, or in the use of this transport. Empty:
  // nothing.
  std::string fault() const;

  // Transport
  std::size_t write(ByteSpan frames) override;
  void finish_frame(ByteSpan rest) override;
  void request_writable() override;
  Delivery delivery() const override {
    const std::uint64_t acknowledged = acknowledged_.value_or(bytes_);
    return {acknowledged, acknowledged < bytes_};
  }
  void close(CloseCause cause) override;

 private:
  std::size_t room_for(std::size_t offered);
  void receive(ByteSpan bytes);
  void note(const char* fault);

  FrameParser parser_;
  std::function<void()> at_next_write_;
  bool refuse_next_ = false;
  std::optional<std::size_t> per_write_;
  std::optional<std::size_t> room_;
  std::optional<std::uint64_t> acknowledged_;
  bool waits_ = false;
  bool short_write_ = false;  // the last write was, and writable was not asked for yet
  bool was_limited_ = false;
  std::optional<CloseCause> closed_;
  std::uint64_t bytes_ = 0;
  std::size_t writes_ = 0;
  std::string fault_;
};

}  // namespace syncrelay::testing
