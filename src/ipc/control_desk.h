#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>
#include <zmq.hpp>

#include "answer.h"
#include "client_replies.h"
#include "control_socket.h"
#include "dismissals.h"
#include "explanations.h"
#include "syncrelay/ipc/peer_gate.h"
#include "syncrelay/ipc/traffic.h"
#include "syncrelay/metrics/cluster_stats.h"
#include "syncrelay/metrics/stats.h"
#include "syncrelay/post/errands.h"
#include "syncrelay/post/outbox.h"
#include "syncrelay/protocol/channel_name.h"
#include "syncrelay/relay/intake.h"
#include "syncrelay/relay/receivers.h"
#include "syncrelay/relay/relay.h"
#include "tails.h"

namespace syncrelay {

// Takes what comes in on the control socket, and from the HTTP door, and answers it: commands once
// they are published, queries then, too, so that an answer never tells of what is not stored. Relay
// thread only, once built.
class ControlDesk {
 public:
  // What answers tell of. All references must outlive the desk.
  struct Sources {
    Relay& relay;
    Intake& intake;
    RelayStats& relay_stats;
    std::vector<const ShardStats*> shards;
    std::vector<Outbox*> outboxes;  // of the shards, in the same order
    PeerGate& gate;                 // hears of what is taken
    std::string epoch;
    const Clock& clock;
    ChannelPatterns presence;               // the channels that keep members
    const ClusterStats* cluster = nullptr;  // null: the relay is alone
    Errands* errands = nullptr;             // of the HTTP door; null: there is none
    std::string limits = {};  // what the relay may have at most, and its like: JSON members
    const std::vector<std::string>* endpoints = nullptr;  // that commands are pushed to
  };

  // `socket` must outlive it.
  ControlDesk(ControlSocket& socket, const Sources& sources);

  // Takes one request, if there is one.
  bool take();
  // No errand is taken any more.
  void close_door();

  // Answers what the intake has replied to.
  void answer(std::vector<Reply> replies);

  // Reads what the shards have to say. To be called when one of their outboxes is not empty, and
  // before answer(), so that the answers count every subscriber that has heard from his channel.
  // What clients have said waits for take_said().
  void read_outboxes();

  // What clients say from now on is not taken and has no answer.
  void hear_no_clients() { hears_clients_ = false; }

  // Hands what clients have said to the intake, as far as the batch goes. False: nothing was.
  bool take_said();
  bool has_said() const { return next_said_ < said_.size(); }

  // Gives messages and notices to the workers that wait, and an empty answer to those that have
  // waited for as long as they would; has the shards tell what workers ask for. Precondition:
  // nothing is staged in the inbox.
  void serve_receivers();
  // When that will have something to do, unless something comes.
  std::optional<TimePoint> next_service() const;
  // No worker gets any more, nor who waits for events.
  void end_receivers();
  // Nor does anybody get the answer to a query that is under way.
  void refuse_queries();
  // To be called now and then: keeps account of what happens.
  void look_at_traffic() { traffic_.look(sources_.clock.now(), sources_.clock.wall()); }
  // Workers whose connection has ended wait no longer.
  void forget_gone_receivers();

  // A step of the backup that somebody waits for, if there is one; the last one answers.
  void go_on_with_backup();
  bool has_backup() const { return !backup_.empty(); }

  zmq::socket_t& socket() { return socket_.socket(); }
  std::string endpoint() const { return socket_.endpoint(); }

 private:
  struct List {
    Envelope envelope;
    std::optional<std::string> channel;  // whose subscribers are asked for; nullopt: all clients
    std::size_t missing;                 // shards that have not reported yet
    std::vector<ClientInfo> clients;
  };

  struct Asking {
    Envelope envelope;
    int descriptor;  // see ControlSocket::descriptor_of()
  };

  struct ClientSaid {
    std::size_t shard;
    Said said;
  };

  static const Rejection kUnread;

  bool take_request();
  bool take_errand();
  void answer(Envelope envelope, const Reply& reply);
  void answer(Envelope envelope, const Query& query);
  void add_receiver(Ticket ticket, const Query& query);
  WorkerEvents available(TimePoint now);
  void hand_out(const Receivers::Receiver& receiver, TimePoint now);
  void send_nothing(const Receivers::Receiver& receiver);
  void want_asked_notices();
  void add_notices();
  Envelope take_envelope(Ticket ticket);
  void hear(std::size_t shard, UpLetter& letter);
  void answer_state(Envelope envelope, const Query& query);
  void answer_members(Envelope envelope, const Query& query);
  void begin_list(Envelope envelope, const Query& query);
  void add_to_list(Reported reported);
  void begin_tail(Envelope envelope, const Query& query);
  void answer_tail(Tails::Answer answer);
  void begin_dismissal(Envelope envelope, const Query& query);
  void end_dismissal(const Dismissed& dismissed);
  void begin_explanation(Envelope envelope, const Query& query);
  void end_explanation(Told told);
  void join_backup(Envelope envelope);
  bool has_room(const Envelope& envelope, std::size_t answer_bytes);
  // Or refuses, when the peer has not read earlier ones.
  void send_large(Envelope envelope, std::string answer);
  void refuse(Envelope envelope, const Rejection& rejection);
  bool send(Envelope envelope, const Rejection& rejection);
  // False: the peer is gone, or does not read.
  bool send(Envelope envelope, std::string answer, std::optional<RejectReason> refused = {});
  AnswerContext context(std::string_view channel) const;

  ControlSocket& socket_;
  const Sources sources_;
  std::vector<UpLetter> taken_;
  std::vector<Notice> noticed_;                 // by shards, since they were last looked at
  WorkerEvents wanted_;                         // notices that the shards tell
  std::unordered_map<Ticket, Asking> waiting_;  // for replies, or for messages
  std::unordered_map<Ticket, ControlSocket::Connection> receiving_;  // by which workers wait
  Ticket next_ticket_ = kNobody + 1;
  std::map<std::uint64_t, List> lists_;  // under way
  std::uint64_t next_list_ = 1;
  Dismissals dismissals_;
  Explanations explanations_;
  Tails tails_;
  Traffic traffic_;
  ClientReplies client_replies_;
  bool hears_clients_ = true;
  std::vector<ClientSaid> said_;  // what the outboxes held the last two times, at most
  std::size_t next_said_ = 0;
  Receivers receivers_;
  std::vector<Envelope> backup_;  // who waits for the one that is under way
};

}  // namespace syncrelay
