#include "redis/keeper.h"

#include <algorithm>
#include <chrono>

namespace syncrelay {
namespace {

TimePoint now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

void Keeper::run() {
  while (!shared_.stopping) {
    const Session session = shared_.gate.current();
    if (session.open) tend(session);
    wait_for(shared_.keeper, pause(session));
  }
  leave();
}

Duration Keeper::pause(const Session& session) const {
  if (!session.open) return std::chrono::hours(1);  // it is woken when one opens
  return server_ ? std::max(next_beat_ - now(), Duration::zero()) : kPause;
}

// A session is with the server that the reader found then, which is not always the one before.
void Keeper::tend(const Session& session) {
  if (session.number != session_) server_.reset();
  if (!server_) {
    auto server = LogServer::open(shared_.dialer, shared_.keys, shared_.keeper);
    if (!server) return;
    server_ = std::move(server).value();
  }
  if (!beat_if_due(session)) return server_.reset();
  if (auto made = shared_.desk.take(CheckpointDesk::Purpose::turn)) write(*std::move(made));
}

// False: the connection is of no use any more.
bool Keeper::beat_if_due(const Session& session) {
  if (session.number == session_ && now() < next_beat_) return true;
  const Duration silent = shared_.settings.silent;
  const auto beat = server_->beat(session.epoch, session.relay, silent, silent / 2);
  if (!beat) return false;
  session_ = session.number;
  next_beat_ = now() + shared_.settings.beat;
  if (beat.value().word == "OK") {
    shared_.newest = beat.value().newest;
    shared_.known.set(beat.value().others);
    shared_.stats.relays.set(beat.value().others.size() + 1);
  } else {
    shared_.gate.ended(session.number);
  }
  return true;
}

// A relay that writes 100 MiB goes on giving signs of life.
void Keeper::write(CheckpointDesk::Made made) {
  const std::string bytes = pack_checkpoint(made.wanted.ledger, std::move(made.state));
  const auto written = server_->put(bytes, [&] {
    const Session session = shared_.gate.current();
    return session.open && !shared_.stopping && beat_if_due(session);
  });
  if (!written) return fail();
  record(made, written.value());
}

void Keeper::record(const CheckpointDesk::Made& made, const CheckpointRecord& written) {
  CheckpointRecord record = written;
  record.position = made.wanted.position;
  const auto word = server_->record(made.wanted.epoch, made.wanted.relay, record);
  if (!word) return fail();
  const bool taken = word.value() == "OK";
  if (taken) shared_.newest = record.position.n;
  const auto missed = word.value() == "LOST" ? CheckpointOutcome::failed : CheckpointOutcome::late;
  count(taken ? CheckpointOutcome::written : missed);
  shared_.log.debug(
      "checkpoint written",
      {{"bytes", record.bytes}, {"entry", record.position.id.text()}, {"result", word.value()}});
}

void Keeper::count(CheckpointOutcome outcome) {
  shared_.stats.checkpoints[static_cast<std::size_t>(outcome)].add();
}

// A checkpoint, and the connection with it.
void Keeper::fail() {
  count(CheckpointOutcome::failed);
  server_.reset();
}

void Keeper::leave() {
  const Session session = shared_.gate.current();
  if (!session.open) return;
  if (session.number != session_) server_.reset();
  if (!server_) {
    auto server = LogServer::open(shared_.dialer, shared_.keys, shared_.keeper);
    if (!server) return;
    server_ = std::move(server).value();
  }
  if (const auto word = server_->leave(session.epoch, session.relay); !word)
    shared_.log.warning("left the cluster without a word", {{"why", word.error().what}});
}

}  // namespace syncrelay
