#include "syncrelay/relay/inbox.h"

#include <algorithm>
#include <deque>

namespace syncrelay {
namespace {

constexpr std::size_t kMostStaged = 4096;  // of a batch
constexpr std::size_t kMostStagedBytes = 1024 * 1024;

// No two pairs have the same key.
std::string ref_key(const Said& said) {
  std::string key(1, static_cast<char>(said.ref.size()));
  key += said.ref;
  return key += said.sender;
}

// The number of a connection means another client after a restart.
bool outlives_the_relay(const Said& said) {
  return !said.sender.starts_with('#');
}

}  // namespace

void Inbox::restore(const StoredInbox& stored) {
  next_ = stored.next;
  received_ = received_stored_ = stored.received;
  for (InboxMessage message : stored.messages) {
    message.connection = 0;
    hold(message);
    insert(std::move(message));
  }
  for (const IdRecord& ref : stored.refs) refs_.stage(ref.id, ref.seq, ref.accepted);
  refs_.keep_staged();
  show_numbers();
}

StoredInbox Inbox::all(Duration ran) const {
  StoredInbox all{{}, {}, next_, received_};
  for (const auto& [n, entry] : entries_) all.messages.push_back(entry.message);
  std::sort(all.messages.begin(), all.messages.end(),
            [](const InboxMessage& a, const InboxMessage& b) { return a.n < b.n; });
  refs_.for_each([&](const std::string& ref, Seq seq, Duration accepted) {
    all.refs.push_back({ref, seq, accepted - ran});
  });
  return all;
}

Inbox::Fate Inbox::say(const Said& said, WallTime ts, Duration ran) {
  if (!received_) {
    if (said.ref.empty()) {
      stats_.inbox_ignored.add();
      return Fate::ignored;
    }
    counter(stats_.inbox_refused, InboxRefusal::no_backend).add();
    return Fate::no_backend;
  }
  if (const auto before = known(said, ran)) return before->staged ? Fate::known_soon : Fate::known;
  InboxMessage message{next_, said.connection, ts, said.sender, said.channel, said.text};
  if (const auto why = refusal(message)) {
    counter(stats_.inbox_refused, *why).add();
    return Fate::full;
  }
  if (!said.ref.empty()) stage_ref(said, ran);
  hold(message);
  ++next_;
  staged_.bytes += message.bytes();
  staged_.messages.push_back(std::move(message));
  return Fate::staged;
}

std::optional<InboxRefusal> Inbox::refusal(const InboxMessage& message) const {
  const std::uint64_t bytes = message.bytes();
  if (entries_.size() + staged_.messages.size() >= settings_.messages ||
      bytes_ + staged_.bytes + bytes > settings_.bytes)
    return InboxRefusal::inbox_full;
  const auto sender = senders_.find(message.sender);
  if (sender == senders_.end()) return std::nullopt;
  const Sender& of = sender->second;
  if (of.messages >= settings_.messages_of_sender() ||
      of.bytes + bytes > settings_.bytes_of_sender())
    return InboxRefusal::sender_full;
  return std::nullopt;
}

// It counts for its sender from now on.
void Inbox::hold(const InboxMessage& message) {
  Sender& sender = senders_[message.sender];
  ++sender.messages;
  sender.bytes += message.bytes();
}

// Or no longer. The sender may be gone then.
void Inbox::let_go(Senders::pointer sender, const InboxMessage& message) {
  sender->second.bytes -= message.bytes();
  if (--sender->second.messages == 0) senders_.erase(senders_.find(sender->first));
}

std::optional<IdWindow::Known> Inbox::known(const Said& said, Duration ran) const {
  if (said.ref.empty()) return std::nullopt;
  return refs_.find(ref_key(said), ran);
}

void Inbox::stage_ref(const Said& said, Duration ran) {
  std::string key = ref_key(said);
  refs_.stage(key, Seq{next_}, ran);
  if (outlives_the_relay(said)) staged_.refs.push_back({std::move(key), Seq{next_}, ran});
}

void Inbox::begin_receiving() {
  received_ = true;
}

std::vector<Inbox::Delivery> Inbox::take(const Wish& wish, TimePoint now) {
  expire(now);
  std::vector<Delivery> taken;
  std::deque<Senders::pointer> again;  // who has had a turn in this answer, and has more
  std::size_t bytes = 0;
  while (taken.size() < wish.messages && !(ready_.empty() && again.empty())) {
    const Senders::pointer sender = ready_.empty() ? again.front() : ready_.front();
    const std::uint64_t n = *sender->second.waiting.begin();
    const InboxMessage& message = entries_.at(n).message;
    bytes += message.text.size();
    if (!taken.empty() && bytes > wish.bytes) break;
    if (ready_.empty()) again.pop_front();
    lease(n, now + wish.lease);
    taken.push_back({&message, ++entries_.at(n).attempts});
    if (!sender->second.waiting.empty()) again.push_back(sender);
  }
  for (const Delivery& delivery : taken) {
    if (delivery.attempt > 1) stats_.inbox_redelivered.add();
  }
  std::sort(taken.begin(), taken.end(),
            [](const Delivery& a, const Delivery& b) { return a.message->n < b.message->n; });
  show_numbers();
  return taken;
}

bool Inbox::has_next(TimePoint now) {
  expire(now);
  return !ready_.empty();
}

void Inbox::give_back(const std::vector<std::uint64_t>& numbers) {
  for (const std::uint64_t n : numbers) {
    const auto found = entries_.find(n);
    if (found == entries_.end() || !found->second.lease_end) continue;
    --found->second.attempts;
    end_lease(found->second);
  }
  show_numbers();
}

Inbox::Settled Inbox::done(const std::vector<std::uint64_t>& numbers) {
  Settled settled;
  for (const std::uint64_t n : numbers) {
    const auto found = entries_.find(n);
    if (found == entries_.end()) continue;
    ++settled.count;
    settled.stored = false;
    if (std::exchange(found->second.done, true)) continue;
    staged_.done.push_back(n);
  }
  return settled;
}

Inbox::Settled Inbox::extend(const std::vector<std::uint64_t>& numbers, Duration lease,
                             TimePoint now) {
  expire(now);
  Settled settled;
  for (const std::uint64_t n : numbers) {
    const auto found = entries_.find(n);
    if (found == entries_.end() || !found->second.lease_end) continue;
    leases_.erase({*found->second.lease_end, n});
    leases_.insert({now + lease, n});
    found->second.lease_end = now + lease;
    ++settled.count;
  }
  return settled;
}

Inbox::Settled Inbox::release(const std::vector<std::uint64_t>& numbers, bool untried,
                              TimePoint now) {
  expire(now);
  Settled settled;
  for (const std::uint64_t n : numbers) {
    const auto found = entries_.find(n);
    if (found == entries_.end() || !found->second.lease_end) continue;
    if (untried) --found->second.attempts;
    end_lease(found->second);
    ++settled.count;
  }
  show_numbers();
  return settled;
}

std::optional<TimePoint> Inbox::next_end() const {
  if (leases_.empty()) return std::nullopt;
  return leases_.begin()->first;
}

bool Inbox::has_staged() const {
  return !staged_.messages.empty() || !staged_.done.empty() || !staged_.refs.empty() ||
         received_ != received_stored_;
}

bool Inbox::is_batch_full() const {
  return staged_.messages.size() >= kMostStaged || staged_.done.size() >= kMostStaged ||
         staged_.bytes >= kMostStagedBytes;
}

InboxChanges Inbox::staged() const {
  return {staged_.messages, staged_.done, staged_.refs, next_, received_};
}

void Inbox::keep_staged() {
  for (InboxMessage& message : staged_.messages) insert(std::move(message));
  for (const std::uint64_t n : staged_.done) remove(n);
  stats_.inbox_received.add(staged_.messages.size());
  stats_.inbox_done.add(staged_.done.size());
  refs_.keep_staged();
  received_stored_ = received_;
  staged_ = {};
  show_numbers();
}

// That somebody receives stays true: the next batch tells the store.
void Inbox::take_back_staged() {
  for (const std::uint64_t n : staged_.done) entries_.at(n).done = false;
  counter(stats_.inbox_refused, InboxRefusal::storage).add(staged_.messages.size());
  next_ -= staged_.messages.size();
  for (const InboxMessage& message : staged_.messages)
    let_go(&*senders_.find(message.sender), message);
  refs_.take_back_staged();
  staged_ = {};
}

// Precondition: it is held.
void Inbox::insert(InboxMessage message) {
  const Senders::pointer sender = &*senders_.find(message.sender);
  const std::uint64_t n = message.n;
  bytes_ += message.bytes();
  entries_.emplace(n, Entry{std::move(message), sender});
  sender->second.waiting.insert(n);
  review(sender);
}

void Inbox::remove(std::uint64_t n) {
  const auto found = entries_.find(n);
  Entry& entry = found->second;
  if (entry.lease_end) end_lease(entry);
  const Senders::pointer sender = entry.sender;
  sender->second.waiting.erase(n);
  if (sender->second.lost == n) sender->second.lost.reset();
  bytes_ -= entry.message.bytes();
  review(sender);
  let_go(sender, entry.message);
  entries_.erase(found);
}

void Inbox::lease(std::uint64_t n, TimePoint end) {
  Entry& entry = entries_.at(n);
  entry.lease_end = end;
  leases_.insert({end, n});
  Sender& of = entry.sender->second;
  of.leased.insert(of.waiting.extract(n));
  of.lost.reset();
  review(entry.sender);
}

void Inbox::end_lease(Entry& entry) {
  leases_.erase({*entry.lease_end, entry.message.n});
  entry.lease_end.reset();
  Sender& of = entry.sender->second;
  of.waiting.insert(of.leased.extract(entry.message.n));
  review(entry.sender);
}

// A sender's messages are handled one by one, so that behind the first that is lost none has been
// begun.
void Inbox::lose(Entry& entry) {
  Sender& of = entry.sender->second;
  const std::uint64_t n = entry.message.n;
  const bool is_first = n == *of.leased.begin() && !(of.lost && *of.lost < n);
  if (is_first) {
    of.lost = n;
  } else {
    --entry.attempts;
  }
  end_lease(entry);
}

void Inbox::expire(TimePoint now) {
  const bool any = !leases_.empty() && leases_.begin()->first <= now;
  while (!leases_.empty() && leases_.begin()->first <= now)
    lose(entries_.at(leases_.begin()->second));
  if (any) show_numbers();
}

void Inbox::review(Senders::pointer sender) {
  Sender& of = sender->second;
  const bool ready = of.leased.empty() && !of.waiting.empty();
  if (ready && !of.turn) {
    of.turn = ready_.insert(ready_.end(), sender);
  } else if (!ready && of.turn) {
    ready_.erase(*of.turn);
    of.turn.reset();
  }
}

void Inbox::show_numbers() {
  stats_.inbox_messages.set(entries_.size());
  stats_.inbox_bytes.set(bytes_);
  stats_.inbox_messages_peak.raise(entries_.size());
  stats_.inbox_bytes_peak.raise(bytes_);
  stats_.inbox_leased.set(leases_.size());
}

}  // namespace syncrelay
