"""What clients said: to a worker at least once, in order, never after its `done`, one sender's to one worker at a time; what
has a `ref` is one message, or one event."""

from collections import defaultdict
from dataclasses import dataclass

from people import PUBLISHED, SAID, identity_of, is_published, said


@dataclass(frozen=True)
class Delivery:
    taker: str
    sent: float  # when it was asked for
    heard: float
    lease_end: float  # at least
    epoch: str
    event: dict

    @property
    def key(self):
        return self.epoch, self.event["n"]

    @property
    def tab(self):
        return self.event["data"]["tab"]

    @property
    def number(self):
        return self.event["data"]["number"]


class Deliveries:
    def __init__(self, log, record):
        self._log, self._company, self._record = log, record.company, record
        self._all = []  # as they were heard
        self._done = {}  # key to when the first `done` was answered
        self._given_up = defaultdict(list)  # number to when it was done or given back, answered or not
        for taker, lines in self._company.takers.items():
            self._read(taker, lines)
        self._all.sort(key=lambda each: each.heard)  # stable: an answer's own order stays

    def _read(self, taker, lines):
        asked, self._told = {}, {}  # number to the epoch in which this worker was told it last
        for line in lines:
            if "answer" not in line:
                asked[line["ask"]] = line
                if line["op"] in ("done", "release"):
                    for n in line["n"]:
                        self._given_up[n].append(line["at"])
            else:
                self._take(taker, asked[line["ask"]], line["heard"], line["answer"])

    def _take(self, taker, ask, heard, answer):
        self._expect(answer["ok"], f"{taker}: {ask} was refused: {str(answer)[:200]}")
        if ask["op"] == "receive":
            self._all += [Delivery(taker, ask["at"], heard, ask["at"] + ask["lease"], answer["epoch"], event)
                          for event in answer["events"]]
            self._told |= {event["n"]: answer["epoch"] for event in answer["events"]}
        elif ask["op"] == "done":
            for n in ask["n"]:
                if self._told.get(n) == answer["epoch"]:  # else it was taken from a relay whose inbox has ended since
                    self._done.setdefault((answer["epoch"], n), heard)

    def _expect(self, condition, finding):
        self._log.expect(condition, finding)

    @property
    def _forgets(self):
        return self._record.plan.forgets

    def check(self):
        self._check_contents()
        self._check_once()
        self._check_done()
        self._check_order()
        self._check_leases()
        self._check_attempts()
        self._check_none_is_lost()
        self._check_published()

    def _check_contents(self):
        for each in self._all:
            event = each.event
            self._expect(event["data"] == said(each.tab, each.number) and event.get("id") == identity_of(each.tab),
                         f"{each.taker} was told what nobody said: {str(event)[:200]}")

    def _check_once(self):
        """A number is one message, and a message, by its ref, has one number."""
        by_number, by_ref = defaultdict(set), defaultdict(set)
        for each in self._all:
            by_number[each.key].add((each.tab, each.number))
            by_ref[each.epoch, each.tab, each.number].add(each.event["n"])
        for found, what in ((by_number, "numbers that were given twice"), (by_ref, "messages that came anew under a ref")):
            twice = [key for key, values in found.items() if len(values) > 1]
            self._expect(not twice, f"{what}: {twice[:5]}")

    def _check_done(self):
        late = [(each.taker, *each.key) for each in self._all if each.sent > self._done.get(each.key, each.sent)]
        self._expect(not late, f"came after their done was answered: {late[:5]}")

    def _check_order(self):
        """As they first came. Where the relay forgets that there is a backend it refuses what is said before one asks, so that
        what is said again, because the refusal was lost, may come behind what was said later."""
        if self._forgets:
            return
        last, seen = {}, set()
        for each in self._all:
            if (each.epoch, each.tab, each.number) in seen:
                continue
            seen.add((each.epoch, each.tab, each.number))
            before = last.get((each.epoch, each.tab), -1)
            self._expect(each.number > before, f"{each.tab}: {each.number} came behind {before}")
            last[each.epoch, each.tab] = each.number

    def _check_leases(self):
        """No two workers have one sender's at a time, while the relay lives."""
        out = {}  # sender to the last delivery of each of its messages
        for each in self._all:
            mine = out.setdefault(identity_of(each.tab), {})
            for other in mine.values():
                # By whomever: a worker that was slower than its lease may say so while another has it.
                free = min((at for at in self._given_up[other.event["n"]] if at >= other.sent), default=other.lease_end)
                restarted = any(other.sent < at < each.heard for at in self._company.started)
                self._expect(other.taker == each.taker or restarted or each.heard >= min(free, other.lease_end),
                             f"{each.taker} was told {each.tab} {each.number} while {other.taker} had {other.number}")
            mine[each.number, each.tab] = each

    def _check_attempts(self):
        """What was lost behind another of its sender comes with the attempt that it had; none comes with fewer."""
        if self._record.restarts == 0:
            earlier = defaultdict(list)
            for each in sorted(self._all, key=lambda each: each.heard):
                fewer = [other for other in earlier[each.key] if other.lease_end < each.heard
                         and other.event["attempt"] > each.event["attempt"]]
                self._expect(not fewer, f"{each.key} came with fewer attempts than before: {each.event['attempt']}")
                earlier[each.key].append(each)

    def _taken(self, name):
        """Numbers of what a tab was told is taken, and must have come of it."""
        last = self._company.started[-1] if self._forgets else 0.0
        return {number for number, (code, opened) in self._company.tabs[name]["answers"].items()
                if code is None and opened >= last}

    def _check_none_is_lost(self):
        came = {(each.tab, each.number) for each in self._all}
        for name, tab in self._company.tabs.items():
            missing = [n for n in self._taken(name) if not is_published(n) and (name, n) not in came]
            self._expect(not missing, f"{name} was told that {missing[:5]} are taken, and they came to nobody")
            refused = {number: code for number, (code, _) in tab["answers"].items() if code}
            self._expect(self._forgets or not refused, f"{name} was refused {str(refused)[:200]}")
            self._expect(len(tab["answers"]) == tab["said"], f"{name} was not answered all that it said")

    def _check_published(self):
        found = defaultdict(list)  # (epoch, tab) to numbers in order
        for (channel, epoch), events in self._log.events.items():
            for seq in sorted(events):
                event = events[seq]
                if event.type == SAID:
                    name, number = event.data["tab"], event.data["number"]
                    found[epoch, name].append(number)
                    self._expect(channel == PUBLISHED and event.body.get("from") == identity_of(name),
                                 f"an event of {name} at {seq} of {channel!r} is not from it: {event.text[:200]}")
        for (epoch, name), numbers in found.items():
            self._expect(numbers == sorted(set(numbers)), f"{name} published twice, or not in order: {numbers[:20]}")
        final = self._record.final[PUBLISHED]["epoch"]
        for name in self._company.tabs if not self._record.plan.small_window else ():
            missing = {n for n in self._taken(name) if is_published(n)} - set(found[final, name])
            self._expect(not missing, f"{name} was told that its events {sorted(missing)[:5]} are taken, and they are nowhere")
