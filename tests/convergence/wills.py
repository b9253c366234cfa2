"""Wills: one speaks in the step in which its member leaves, once, and it is the last one that was said by then."""

from collections import Counter

from commands import TEMPS
from model import DROP
from people import FAR, LIST_EVENT, WILL, WILL_FAR, Will


class Wills:
    def __init__(self, log, seed, lines):
        """`lines` of the notary's journal."""
        self._log, self._seed = log, seed
        self._answers = {line["will"]: line["answer"] for line in lines if "answer" in line}
        self._made = {line["will"]: Will(seed, line["will"]) for line in lines}
        self._taken = {}  # (channel, epoch) to seq to wills, in order
        for number, answer in self._answers.items():
            if answer["ok"]:
                at = self._taken.setdefault((self._made[number].channel, answer["epoch"]), {})
                at.setdefault(answer["seq"], []).append(self._made[number])
        self._spoken = Counter()

    def check(self, known, whole):
        """`known` maps logs to seq to what is there; `whole`: everything of the far channel was seen."""
        self._check_answers()
        for log, by_seq in known.items():
            _Story(self._log, log, by_seq, self._taken.get(log, {}), self._maybes(log[0]), self._spoken).check()
        twice = [number for number, count in self._spoken.items() if count > 1]
        self._log.expect(not twice, f"wills that spoke more than once: {twice[:5]}")
        for number in self._spoken:
            will = self._made.get(number)
            self._log.expect(will and will.speaks and self._answers.get(number, {"ok": True})["ok"],
                             f"will {number} spoke, and was refused, or could not speak")
        self._check_far(known, whole)

    def _check_answers(self):
        for number, answer in self._answers.items():
            code = None if answer["ok"] else answer["error"]["code"]
            self._log.expect(code in (None, "no_such_member"), f"will {number} was answered {str(answer)[:200]}")

    def _maybes(self, channel):
        """Those of the channel that were said and not answered, by identity."""
        found = {}
        for number, will in self._made.items():
            if number not in self._answers and will.channel == channel:
                found.setdefault(will.id, []).append(will)
        return found

    def _check_far(self, known, whole):
        far = Counter(event["data"]["will"] for (channel, _), by_seq in known.items() if channel == FAR
                      for event in by_seq.values() if event["type"] == WILL_FAR)
        twice = [number for number, count in far.items() if count > 1]
        self._log.expect(not twice, f"wills that spoke more than once in {FAR}: {twice[:5]}")
        spoken = {number for number in self._spoken if number in self._made and self._made[number].kind == "far"}
        unseen = {number for number in far if self._made[number].channel in TEMPS}  # where nobody may have listened
        torn = spoken - set(far) | set(far) - spoken - unseen
        self._log.expect(not whole or not torn, f"wills that were applied in part: {sorted(torn)[:5]}")


class _Story:
    """One channel's in one epoch, event by event."""

    def __init__(self, log, where, by_seq, taken, maybes, spoken):
        self._log, self._where, self._by_seq = log, where, by_seq
        self._taken, self._maybes, self._spoken = taken, maybes, spoken
        self._last = {}  # identity to its will, or None; absent: not known

    def check(self):
        before = 0
        for seq in sorted(self._by_seq):
            if seq != before + 1:
                self._last = {}
            self._take(seq, self._by_seq[seq])
            for will in self._taken.get(seq, ()):
                self._last[will.id] = will
            before = seq

    def _take(self, seq, event):
        if event is DROP:
            self._last = {}
        elif event["type"] == "sync:joined":
            self._last[event["data"]["id"]] = None
        elif event["type"] == "sync:left":
            self._check_leave(seq, event["data"]["id"])
        elif event["type"] == WILL:
            self._spoken[event["data"]["will"]] += 1
            before = self._but_for_a_list(seq - 1, -1)
            mine = before is None or (before["type"], before["data"]) == ("sync:left", {"id": event["data"]["id"]})
            self._log.expect(mine, f"a will that nobody's leaving brought at {seq} of {self._where}")

    def _check_leave(self, seq, id):
        behind = self._but_for_a_list(seq + 1, 1)
        if id not in self._last or behind is None:
            self._last.pop(id, None)
            return
        last, maybes = self._last.pop(id), self._maybes.get(id, ())
        possible = {will.number if will and will.speaks else None for will in (*maybes, last)}
        spoken = behind["data"]["will"] if behind["type"] == WILL else None
        self._log.expect(spoken in possible, f"{id} left at {seq} of {self._where}, and the will that spoke was {spoken}, "
                         f"none of {possible}")

    def _but_for_a_list(self, seq, step):
        """The event there, or, where that is a list of members, the next one in this direction; None when nobody saw it."""
        event = self._by_seq.get(seq)
        return self._by_seq.get(seq + step) if event and event["type"] == LIST_EVENT else event
