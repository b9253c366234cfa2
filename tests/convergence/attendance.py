"""Who was said to be there: only who said so itself, and nobody has left who is there, or has just gone."""

import bisect

from fold import MEMBER_EVENTS
from people import LIST_EVENT, LIST_KEY, PLACES, identity_of

HEARD = 0.5  # seconds; within these the relay has heard of who came, and clients of their end
NEAR = 0.2  # seconds; between the instants at which something is wrong less passes
SLOW_LOOP = 0.3  # seconds; a loop that stood for so long has read late, and proves nothing


class Attendance:
    """`lists`: the default channel's members are told as a list, too; `clock_is_true`: the relay's is that of the tabs."""

    def __init__(self, log, company, lists, clock_is_true):
        self._log, self._company, self._lists, self._clock_is_true = log, company, lists, clock_is_true
        self._stays = {}  # (channel, identity) to stays of all its tabs
        self._proven = {}  # those of tabs that have nothing between them and the relay
        for name, tab in company.tabs.items():
            for stay in tab["stays"]:
                self._stays.setdefault((stay.channel, identity_of(name)), []).append(stay)
                if tab["direct"]:
                    self._proven.setdefault((stay.channel, identity_of(name)), []).append(stay)

    def check(self, events, flows):
        for name, steps in flows:
            if name in self._company.tabs:
                self._check_flow(name, steps)
        for log, by_seq in events.items():
            for seq, message in by_seq.items():
                if message.type in MEMBER_EVENTS:
                    self._check_event(log, seq, message, by_seq)

    def _check_flow(self, name, steps):
        """While a tab follows a channel its identity may have left once: when the relay had not heard of this tab yet."""
        left = {}
        for step in steps:
            if step.type in ("sync:full", "sync:resume"):
                left[step.channel] = 0
            elif step.type == "sync:left" and not step.replayed and step.message.data["id"] == identity_of(name) and not \
                    self._is_disturbed(step.message.arrived - NEAR, step.message.arrived):
                left[step.channel] += 1
                self._log.expect(left[step.channel] == 1, f"{name} is in {step.channel!r}, and has left it again and again, "
                                 f"at {step.seq} {self._since_disturbance(step.message.arrived):.3f} s behind what was wrong")

    def _is_disturbed(self, since, until):
        at = bisect.bisect_left(self._company.disturbed, since)
        return at < len(self._company.disturbed) and self._company.disturbed[at] <= until

    def _since_disturbance(self, instant):
        """Seconds; infinite where nothing was wrong before."""
        at = bisect.bisect_right(self._company.disturbed, instant)
        return instant - self._company.disturbed[at - 1] if at else float("inf")

    def _check_event(self, log, seq, message, by_seq):
        id, where = message.data["id"], f"at {seq} of {log}"
        self._log.expect(log[0] in PLACES, f"a member where none are kept {where}: {message.text[:200]}")
        if message.type == "sync:left":
            self._check_leave(log[0], id, where, message.body["ts"])
        else:
            self._log.expect(message.data["info"] in self._company.infos.get(id, ()),
                             f"{id} never said of itself what is told {where}: {message.text[:200]}")
        if self._lists and not log[0] and (behind := by_seq.get(seq + 1)):
            self._log.expect(behind.type == LIST_EVENT and list(behind.body["set"]) == [LIST_KEY],
                             f"no list of the members behind {where}: {behind.text[:200]}")

    def _check_leave(self, channel, id, where, at):
        if self._company.slowest > SLOW_LOOP or not self._clock_is_true:
            return
        for stay in self._proven.get((channel, id), ()):
            if stay.began is None or (stay.ended is None and stay.seen is None):
                continue
            if any(stay.began < start <= at for start in self._company.started) or self._is_disturbed(stay.began - NEAR, at):
                continue  # a tab that still reads what the last relay had sent is with none
            if stay.ended is None:
                until = stay.seen - HEARD
            else:
                until = stay.ended + stay.grace_at_least(self._stays[channel, id])
            self._log.expect(not stay.began + HEARD < at < until, f"{id} has left {where}, and was there until "
                             f"{until - at:.3f} s later at least")


def list_of(people):
    """What --members-key makes of a channel's members."""
    ordered = sorted(people.items(), key=lambda each: (each[1]["since"], each[0]))
    return [{"id": id, **member["info"], "connected_at": member["since"]} for id, member in ordered]
