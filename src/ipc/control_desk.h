#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>
#include <zmq.hpp>

#include "answer.h"
#include "control_socket.h"
#include "syncrelay/ipc/peer_gate.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/outbox.h"
#include "syncrelay/protocol/command_decoder.h"
#include "syncrelay/relay/relay.h"

namespace syncrelay {

// Answers what comes in on the control socket: commands once they are published, queries then, too,
// so that an answer never tells of what is not stored. Relay thread only, once built.
class ControlDesk {
 public:
  // What answers tell of. All references must outlive the desk.
  struct Sources {
    Relay& relay;
    RelayStats& relay_stats;
    std::vector<const ShardStats*> shards;
    std::vector<Outbox*> outboxes;  // of the shards
    PeerGate& gate;                 // hears of what is taken
    std::string epoch;
  };

  ControlDesk(zmq::context_t& context, std::int64_t max_message, const Sources& sources);

  // Takes one request, if there is one, and applies it to the relay when it is a command.
  bool take(CommandDecoder& decoder);

  // Answers all that was taken since the last time. `stored`: what became of the batch.
  void answer(const Result<void, Rejection>& stored);

  // Reads what the shards have to say. To be called when one of their outboxes is not empty.
  void read_outboxes();

  // A step of the backup that somebody waits for, if there is one; the last one answers.
  void go_on_with_backup();
  bool has_backup() const { return !backup_.empty(); }

  // Somebody waits for the batch to be published.
  bool has_waiting() const { return !pending_.empty(); }

  zmq::socket_t& socket() { return socket_.socket(); }
  std::string endpoint() const { return socket_.endpoint(); }

 private:
  struct Query {
    Op op;
    std::string key;
  };
  struct Pending {
    Envelope envelope;
    std::variant<Accepted, Rejection, Query> outcome;
  };
  struct List {
    Envelope envelope;
    std::size_t missing;  // shards that have not reported yet
    std::vector<ClientInfo> clients;
  };

  std::variant<Accepted, Rejection, Query> outcome_of(CommandDecoder& decoder,
                                                      std::string_view body);
  void answer(Envelope envelope, const Query& query);
  void answer_state(Envelope envelope, const std::string& key);
  void begin_list(Envelope envelope);
  void add_to_list(Reported reported);
  void join_backup(Envelope envelope);
  void refuse(Envelope envelope, const char* why);  // busy
  void send(Envelope envelope, std::string answer);
  AnswerContext context(Seq seq) const;

  ControlSocket socket_;
  const Sources sources_;
  std::vector<UpLetter> taken_;
  std::vector<Pending> pending_;
  std::map<std::uint64_t, List> lists_;  // under way
  std::uint64_t next_list_ = 1;
  std::vector<Envelope> backup_;  // who waits for the one that is under way
};

}  // namespace syncrelay
