"""What one backend was told of its confirmed commands, and what must be true of the relay then."""

from collections import Counter
from dataclasses import dataclass, field

from commands import is_quiet, tag_of
from fold import apply_command, makes_event

CONFIGURED = ("comparison", "radio")
FOREIGN = "h:"


def own(state):
    """The state without what hostile backends may have made of it."""
    return {key: value for key, value in state.items() if not key.startswith(FOREIGN)}


@dataclass
class Page:
    """One epoch. `places` has the seq that each command's id was confirmed at, and the command."""
    state: dict = field(default_factory=lambda: dict.fromkeys(CONFIGURED))
    seq: int = -1
    places: dict = field(default_factory=dict)


class Ledger:
    """Commands are confirmed one after the other; nobody else touches their keys. Not thread-safe: read it while its
    backend pauses."""

    def __init__(self):
        self.findings = []
        self._pages = {}
        self._losses = self._looked_at = 0

    def forgive_a_loss(self):
        """From now on one more epoch is in order: the relay starts without what it had."""
        self._losses += 1

    @property
    def confirmed(self):
        return sum(len(page.places) for page in self._pages.values())

    def grew(self):
        """Whether anything was confirmed since this was last asked."""
        before, self._looked_at = self._looked_at, self.confirmed
        return self.confirmed > before

    def _expect(self, condition, finding):
        if not condition:
            self.findings.append(finding)

    def confirm(self, made, answer, times_sent=1):
        """`times_sent` counts what the relay may have got of this command so far."""
        if not answer["ok"]:
            self.findings.append(f"{made['id']} was refused: {answer['error']}")
            return
        page = self._page(answer["epoch"])
        known = page.places.get(made["id"])
        if known:
            self._check_repeat(made, known[0], answer)
        else:
            self._take(page, made, answer, times_sent)

    def _page(self, epoch):
        page = self._pages.setdefault(epoch, Page())
        self._expect(len(self._pages) <= 1 + self._losses,
                     f"epoch {epoch} is new, and nothing was lost: {list(self._pages)}")
        return page

    def _check_repeat(self, made, seq, answer):
        self._expect(answer.get("duplicate") and answer["seq"] == seq,
                     f"{made['id']}, confirmed at {seq}, was sent again and answered with {answer}")

    def _take(self, page, made, answer, times_sent):
        least = page.seq + makes_event(made)
        self._expect(answer["seq"] >= least, f"{made['id']} was confirmed at {answer['seq']}, after {page.seq}")
        self._expect(times_sent > 1 or not answer.get("duplicate"), f"{made['id']} is new and was called a duplicate")
        page.seq = answer["seq"]
        page.places[made["id"]] = (answer["seq"], made)
        page.state = apply_command(page.state, made, CONFIGURED)

    # What the relay and its clients must say now.

    def check_state(self, epoch, state):
        expected = self._pages.get(epoch, Page()).state
        pairs = {key: (state.get(key, "none"), expected.get(key, "none")) for key in sorted({*expected, *own(state)})}
        wrong = [f"{key} is {str(is_)[:80]}, not {str(should)[:80]}" for key, (is_, should) in pairs.items()
                 if is_ != should]
        self._expect(not wrong, f"the state of {epoch} is not the model's: {'; '.join(wrong[:3])}")

    def check_log(self, events):
        """`events`: epoch to seq to message. Each command in effect once, where it was confirmed."""
        for epoch, log in events.items():
            tags = Counter(tag for message in log.values() if (tag := tag_of(message.body)))
            twice = [tag for tag, count in tags.items() if count > 1]
            self._expect(not twice, f"took effect more than once in {epoch}: {twice[:5]}")
            for name, (seq, made) in self._pages.get(epoch, Page()).places.items():
                if not is_quiet(made) and seq in log:
                    self._check_place(name, made, log[seq])

    def _check_place(self, name, made, message):
        there = tag_of(message.body)
        if made["op"] == "delete":
            there = name if message.data in ([made["key"]], {made["key"]: None}) else there
        self._expect(there == name, f"{name} was confirmed at {message.seq}, where {message.text[:200]} is")
