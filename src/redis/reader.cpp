#include "redis/reader.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>
#include <vector>

namespace syncrelay {

void Reader::run() {
  Next next = Next::connect;
  while (!shared_.reading_over && next != Next::end) {
    next = attend();
    server_.reset();
    shared_.gate.close();
    shared_.stats.settled = false;
    if (!shared_.reading_over && next != Next::end) wait_for(shared_.reader, kPause);
  }
}

// The life of one connection.
Reader::Next Reader::attend() {
  auto server = LogServer::open(shared_.dialer, shared_.keys, shared_.reader);
  if (!server) return lost(server.error());
  server_ = std::move(server).value();
  Next next = Next::survey;
  TimePoint begun = std::chrono::steady_clock::now();
  for (int swift = 0; !shared_.reading_over && next == Next::survey; ++swift) {
    if (std::chrono::steady_clock::now() - begun > kBlock) swift = 0;
    if (swift >= kSwiftSteps) wait_for(shared_.reader, kRebid);
    begun = std::chrono::steady_clock::now();
    next = step();
  }
  return next;
}

Reader::Next Reader::step() {
  shared_.gate.close();
  const auto survey = server_->survey(relay_, position_, shared_.settings.silent);
  if (!survey) return lost(survey.error());
  if (survey.value().course != Survey::Course::replica && is_refused(survey.value()))
    return fail("the relays of a cluster have to have the same " +
                difference(survey.value().settings, shared_.options).value_or("options") +
                "; to change it, stop all of them first, and wait a minute");
  switch (survey.value().course) {
    case Survey::Course::replica:
      return lost({RedisError::Kind::refused, "it is a replica"});
    case Survey::Course::doubt:
      return settle(survey.value());
    case Survey::Course::settled:
      return follow(survey.value());
  }
  return Next::connect;
}

Reader::Next Reader::follow(const Survey& survey) {
  if (!has_same_options(survey))
    return demand_new_epoch(survey, "this relay has other options, and is the only one");
  if (!survey.whole) return demand_new_epoch(survey, "entries of the log are missing");
  if (!is_near(survey)) {
    if (const Next next = approach(survey); next != Next::survey || epoch_ != survey.epoch)
      return next;
  }
  aim(survey);
  warn_of_eviction(survey);
  return enter(survey);
}

// Not further than before, so that it is reached however often the connection ends; but what Redis
// has lost never comes.
void Reader::aim(const Survey& survey) {
  if (goal_ && *goal_ <= survey.n) return;
  goal_ = survey.n;
  begun_ = survey.now;
}

// What was read is in this history, and what comes next is still in the log.
bool Reader::is_near(const Survey& survey) const {
  if (gap_ == position_.n) return false;
  if (founding_ && founding_->epoch == survey.epoch && founding_->n == position_.n) return true;
  const bool pledged = survey.replid == pledged_ || survey.standing == Survey::Standing::gone;
  return survey.epoch == epoch_ && survey.hold == Survey::Hold::held && pledged;
}

// Precondition: it is not near. Where this relay may have told its clients, under the epoch of this
// history, what is not in it, only a new epoch helps.
Reader::Next Reader::approach(const Survey& survey) {
  if (survey.epoch != epoch_) return load(survey, survey.epoch);
  if (survey.replid != pledged_ && survey.standing != Survey::Standing::gone)
    return demand_new_epoch(survey, "this epoch may go on elsewhere");
  if (survey.hold == Survey::Hold::held)
    return demand_new_epoch(survey, "an entry of the log is missing");
  const bool known = survey.standing != Survey::Standing::unknown;
  if (survey.hold == Survey::Hold::trimmed && known) return load(survey, survey.epoch);
  return demand_new_epoch(survey, "what this relay has read is not in the log");
}

Reader::Next Reader::enter(const Survey& survey) {
  if (shared_.stopping) return Next::connect;  // one that is leaving does not come back
  const auto word = server_->enter(survey.epoch, relay_, shared_.outgoing.last_back());
  if (!word) return lost(word.error());
  pledged_ = survey.replid;
  if (word.value() == "GONE") return leave_old_id();
  if (word.value() != "OK") return Next::survey;
  if (entered_ != relay_)  // by which others name it
    shared_.log.info("takes part in the cluster", {{"id", relay_.text()}, {"epoch", survey.epoch}});
  entered_ = relay_;
  if (!complaint_.empty()) shared_.log.info("the cluster's Redis is back");
  complaint_.clear();
  shared_.newest = survey.checkpoints.empty() ? 0 : survey.checkpoints.back().position.n;
  shared_.stats.settled = true;
  shared_.gate.open(survey.epoch, relay_);
  return shared_.stopping ? leave(survey) : read_on();
}

// The keeper may have found no session to leave in, while this one was on its way.
Reader::Next Reader::leave(const Survey& survey) {
  if (const auto word = server_->leave(survey.epoch, relay_); !word) return lost(word.error());
  return Next::connect;
}

// This relay was declared gone. What it appended before is to be read first; then it is another.
Reader::Next Reader::leave_old_id() {
  const NodeId old = relay_;
  if (const Next next = read_to_end(); next != Next::survey || relay_ != old) return next;
  const auto survey = server_->survey(relay_, position_, shared_.settings.silent);
  if (!survey) return lost(survey.error());
  if (survey.value().standing == Survey::Standing::gone)
    rename(shared_.outgoing.came_back(survey.value().last_batch));
  return Next::survey;
}

void Reader::rename(std::uint64_t own_appends) {
  if (!shared_.stopping) {  // else it has said so itself
    shared_.log.warning("declared gone by another relay: on under another id",
                        {{"id", relay_.text()}});
  }
  relay_ = NodeId::random();
  shared_.outgoing.renumber();
  tell(OwnIdChanged{relay_, own_appends});
}

// Tries the older checkpoint first, so that there is a window of events behind it; or the newest,
// where what comes behind the older one is not all there.
Reader::Next Reader::load(const Survey& survey, const std::string& epoch) {
  std::string why = "there is no checkpoint";
  std::vector<CheckpointRecord> records = survey.checkpoints;
  if (!survey.whole) std::reverse(records.begin(), records.end());
  for (const CheckpointRecord& record : records) {
    auto bytes = server_->get(record);
    if (!bytes && bytes.error().kind == RedisError::Kind::broken) return lost(bytes.error());
    if (!bytes) {
      why = bytes.error().what;
      continue;
    }
    if (auto checkpoint = unpack_checkpoint(std::move(bytes).value())) {
      take_over(record, epoch, std::move(*checkpoint));
      return Next::survey;
    }
    why = "the checkpoint is damaged";
  }
  // Trimmed while it was read: there is a newer one now.
  const auto again = server_->survey(relay_, position_, shared_.settings.silent);
  if (!again) return lost(again.error());
  if (again.value().n != survey.n || again.value().epoch != survey.epoch) return Next::survey;
  if (epoch_.empty() && survey.others == 0)
    return fail("the cluster's state in Redis cannot be read, and no relay has it: " + why);
  return demand_new_epoch(survey, why);
}

void Reader::take_over(const CheckpointRecord& record, const std::string& epoch,
                       UnpackedCheckpoint checkpoint) {
  position_ = record.position;
  ledger_ = std::move(checkpoint.ledger);
  if (epoch != epoch_) goal_.reset();  // it was in another history
  epoch_ = epoch;
  founding_.reset();
  gap_.reset();
  newest_ = 0;
  next_turn_ = 0;
  const auto own = ledger_.find(relay_);
  const std::uint64_t appends = own == ledger_.end() ? 0 : shared_.outgoing.came_back(own->second);
  shared_.log.info(
      "cluster's state loaded",
      {{"epoch", epoch_}, {"entry", position_.id.text()}, {"bytes", checkpoint.state.size()}});
  tell(StateLoaded{position_.id, epoch_, std::move(checkpoint.state), appends});
}

Reader::Next Reader::read_on() {
  look_whether_caught_up();
  for (;;) {
    server_->read_behind(position_.id, at_once_, kBlock);
    auto entries = server_->entries(kBlock);
    while (!entries && entries.error().kind == RedisError::Kind::interrupted) {
      shared_.reader.clear();
      // A reply is outstanding: only another connection can ask anything now.
      if (shared_.reading_over || !shared_.gate.current().open) return Next::connect;
      entries = server_->entries(kBlock);
    }
    if (!entries) return lost(entries.error());
    const Next next = take_all(entries.value().value());
    if (next != Next::survey || gap_ == position_.n) return next;
    if (!shared_.gate.current().open) return Next::survey;
    look_whether_whole(entries.value().value());
    if (entries.value().value().is_null()) {  // soon seen that way, where a newcomer may found
      const auto word = server_->look(epoch_);
      if (!word) return lost(word.error());
      if (word.value() != "OK") return Next::survey;
    }
    if (const Next asked = ask_for_checkpoint_if_due(); asked != Next::survey) return asked;
  }
}

Reader::Next Reader::read_to_end() {
  for (;;) {
    server_->read_behind(position_.id, at_once_, Duration::zero());
    auto entries = server_->entries(Duration::zero());
    while (!entries && entries.error().kind == RedisError::Kind::interrupted) {
      shared_.reader.clear();
      if (shared_.reading_over) return Next::connect;
      entries = server_->entries(Duration::zero());
    }
    if (!entries) return lost(entries.error());
    if (entries.value().value().is_null()) return Next::survey;
    const NodeId before = relay_;
    const Next next = take_all(entries.value().value());
    if (next != Next::survey || gap_ == position_.n || relay_ != before) return next;
  }
}

// Of a reply to XREAD: [[log, [entry…]]], or null. Ends where something has to be looked at, which
// is where gap_ is the position, or the session was closed; so nothing is told behind the entry by
// which this relay is gone before it is registered under its next id.
Reader::Next Reader::take_all(RedisValue streams) {
  const RedisValue entries = streams[0][1];
  const std::uint64_t before = bytes_;
  const NodeId before_id = relay_;
  for (std::size_t at = 0; at < entries.size(); ++at) {
    const auto entry = LogEntry::read(entries[at]);
    const Taken taken = entry ? take(*entry) : Taken::unreadable;
    if (taken == Taken::told) shared_.stats.entries.add();
    if (taken == Taken::unreadable)
      return fail("entry " + std::string(entries[at][0].text()) +
                  " of the log was not written by a relay of this version");
    if (taken == Taken::foreign) {
      gap_ = position_.n;
      return Next::survey;
    }
    if (relay_ != before_id) return Next::survey;
  }
  fit_at_once(entries.size(), bytes_ - before);
  if (entries.size() > 0) look_whether_caught_up();
  return Next::survey;
}

// From far away each answer takes its time, so that many small entries come by one.
void Reader::fit_at_once(std::size_t entries, std::uint64_t bytes) {
  if (bytes > kMuchAtOnce) {
    at_once_ = LogServer::kEntriesAtOnce;
  } else if (entries == at_once_ && bytes < kMuchAtOnce / 4) {
    at_once_ = std::min(2 * at_once_, LogServer::kMostAtOnce);
  }
}

// It takes what relays count on, and then a new epoch is all that is left.
void Reader::warn_of_eviction(const Survey& survey) {
  if (survey.eviction == eviction_) return;
  eviction_ = survey.eviction;
  if (eviction_.empty() || eviction_ == "noeviction") return;
  shared_.log.warning(
      "the cluster's Redis evicts keys when its memory is full: set its "
      "maxmemory-policy to noeviction",
      {{"policy", eviction_}});
}

Reader::Taken Reader::take(const LogEntry& entry) {
  if (entry.n != position_.n + 1) return Taken::foreign;
  if (entry.kind == LogEntry::Kind::founded) return tell_founded(entry);
  if (entry.generation != position_.generation) return Taken::foreign;
  position_ = entry.position();
  bytes_ += entry.data.size();
  if (entry.kind == LogEntry::Kind::gone) return tell_gone(entry);
  tell_letters(entry);
  return Taken::told;
}

void Reader::tell_letters(const LogEntry& entry) {
  ledger_[entry.relay] = entry.batch;
  const bool own = entry.relay == relay_;
  tell(LettersCame{entry.id, entry.relay, own ? shared_.outgoing.came_back(entry.batch) : 0,
                   std::string(entry.data)});
}

Reader::Taken Reader::tell_gone(const LogEntry& entry) {
  ledger_.erase(entry.relay);
  tell(RelayGone{entry.id, entry.relay});
  if (entry.relay != relay_) return Taken::told;
  rename(0);
  shared_.gate.close();
  return Taken::told;
}

Reader::Taken Reader::tell_founded(const LogEntry& entry) {
  if (!founding_ || entry.data != founding_->epoch || founding_->n != position_.n)
    return Taken::foreign;
  position_ = entry.position();
  epoch_ = founding_->epoch;
  founding_.reset();
  newest_ = 0;
  next_turn_ = 0;
  tell(EpochFounded{entry.id, epoch_});
  return Taken::told;
}

// A reply that has room for more entries than there were has all.
void Reader::look_whether_whole(const RedisValue& streams) {
  if (streams[0][1].size() < LogServer::kEntriesAtOnce)
    shared_.stats.lag.heard_all(std::chrono::steady_clock::now());
}

void Reader::look_whether_caught_up() {
  if (!goal_ || position_.n < *goal_ || epoch_.empty() || shared_.caught_up) return;
  shared_.caught_up = true;
  tell(CaughtUp{begun_});
}

Reader::Next Reader::ask_for_checkpoint_if_due() {
  const ClusterLog::Settings& settings = shared_.settings;
  if (newest_ != shared_.newest) {
    newest_ = shared_.newest;
    bytes_ = 0;
    next_turn_ = 0;
  }
  const std::uint64_t behind = position_.n - std::min(newest_, position_.n);
  if (behind < settings.checkpoint_entries && bytes_ < settings.checkpoint_bytes)
    return Next::survey;
  const bool asked = position_.n < next_turn_ && bytes_ < next_turn_bytes_;
  if (asked || founding_) return Next::survey;
  next_turn_ = position_.n + settings.checkpoint_entries / 20 + 1;
  next_turn_bytes_ = bytes_ + settings.checkpoint_bytes / 20 + 1;
  const auto word = server_->turn(epoch_, relay_, position_.n, settings.checkpoint_entries);
  if (!word) return lost(word.error());
  if (word.value() == "YES") {
    const std::uint64_t number =
        shared_.desk.ask({CheckpointDesk::Purpose::turn, position_, ledger_, epoch_, relay_});
    tell(CheckpointWanted{number});
  }
  return Next::survey;
}

bool Reader::has_same_options(const Survey& survey) const {
  return survey.settings.empty() || survey.settings == shared_.options;
}

// Signs of life fail also where Redis takes none, so that relays which were silent for longer than
// it takes to be gone may all be there: nothing is taken over from them.
bool Reader::is_refused(const Survey& survey) const {
  return !has_same_options(survey) && survey.late > 0;
}

Reader::Next Reader::demand_new_epoch(const Survey& survey, std::string_view why) {
  shared_.log.warning("a new epoch is needed", {{"why", why}, {"epoch", survey.epoch}});
  const auto word = server_->doubt(survey.epoch, why);
  if (!word) return lost(word.error());
  return Next::survey;
}

// It is tried again and again, and told at growing intervals.
Reader::Next Reader::lost(const RedisError& error) {
  const TimePoint now = std::chrono::steady_clock::now();
  if (complaint_.empty()) lost_at_ = next_complaint_ = now;
  if (error.what != complaint_) complaint_pause_ = kFirstComplaintPause;
  if (now < next_complaint_ || shared_.reading_over) return Next::connect;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - lost_at_).count();
  shared_.log.warning("the cluster's Redis cannot be used",
                      {{"redis", shared_.settings.url.shown()},
                       {"why", error.what},
                       {"seconds", static_cast<std::uint64_t>(seconds)}});
  complaint_ = error.what;
  next_complaint_ = now + complaint_pause_;
  complaint_pause_ = std::min(2 * complaint_pause_, kComplaintPause);
  return Next::connect;
}

Reader::Next Reader::fail(std::string why) {
  shared_.log.error("cannot take part in the cluster", {{"why", why}});
  tell(LogFailed{std::move(why)});
  return Next::end;
}

void Reader::tell(ClusterEvent event) {
  shared_.stats.lag.tell(std::chrono::steady_clock::now());
  shared_.events.post(std::move(event));
}

}  // namespace syncrelay
