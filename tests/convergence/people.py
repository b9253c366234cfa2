"""Who takes part besides backends: identities with several tabs each, in channels whose members are kept."""

import random

from commands import NO_VERSION, TEMPS

PLACES = ("", "room:0", "room:1", TEMPS[0])  # channels whose members are kept
REACH = (*PLACES, "room:5")  # what a tab may follow
TABS = {"ada": 3, "bob": 3, "cy": 2, "dee": 1}  # identity to the number of its tabs
GRACE, GRACE_CLOSED = 0.4, 0.15  # seconds
LEAVES_ALL = "dee"  # an identity of which nobody is there at the end; until then it follows all places
TAKERS = ("w0", "w1")
NOTARY = "n0"
FAR = "room:9"  # where a will speaks besides its channel
WILL, WILL_FAR, SAID = "app:will", "app:will:far", "app:said"
WILL_KINDS = ("near", "far", "doomed", "none")
PUBLISHED = "room:3"  # where clients publish
LIST_KEY, LIST_EVENT = "people", "app:people"
LIST_OPTIONS = ("--members-key", LIST_KEY, "--members-event", LIST_EVENT)
OPTIONS = ("--anonymous-identity", "--client-rate", "0", "--client-publish", PUBLISHED,
           "--presence-grace", f"{GRACE * 1000:.0f}ms", "--presence-grace-closed", f"{GRACE_CLOSED * 1000:.0f}ms",
           *(word for place in PLACES for word in ("--presence", place)))


def tab_names():
    return [f"{identity}.{number}" for identity, count in TABS.items() for number in range(count)]


def identity_of(tab):
    return tab.split(".")[0]


def said(tab, number):
    """What a tab says as its n-th; every fifth is an event for others."""
    ref, data = f"{tab}:{number}", {"tab": tab, "number": number}
    if number % 5 == 4:
        return {"type": "sync:publish", "channel": PUBLISHED, "event": SAID, "data": data, "ref": ref}
    return {"type": "chat:say", "ref": ref, **data}


def published(tab, number):
    """What a tab says where nothing is said to a backend, whose inbox is one relay's own: events for others alone."""
    return {"type": "sync:publish", "channel": PUBLISHED, "event": SAID, "data": {"tab": tab, "number": number},
            "ref": f"{tab}:{number}"}


def is_published(number):
    return said("", number)["type"] == "sync:publish"


class Will:
    """The n-th of a run: decided by seed and n alone."""

    def __init__(self, seed, number):
        draw = random.Random(f"{seed}/will/{number}")
        self.number = number
        self.channel, self.id = draw.choice(PLACES), draw.choice(tuple(TABS))
        self.kind = draw.choices(WILL_KINDS, (5, 3, 2, 1))[0]

    @property
    def speaks(self):
        """Whether it does anything when its time comes."""
        return self.kind in ("near", "far")

    def request(self):
        return {"op": "will", "channel": self.channel, "id": self.id, "commands": self._commands()}

    def _commands(self):
        here = {"channel": self.channel} if self.channel else {}
        if self.kind == "none":
            return []
        made = [{"op": "broadcast", "type": WILL, "data": {"will": self.number, "id": self.id}, **here}]
        if self.channel not in TEMPS:  # those have no state that stays
            made.append({"op": "set", "key": f"will:{self.id}", "value": self.number, **here})
        if self.kind == "far":
            made.append({"op": "broadcast", "type": WILL_FAR, "data": {"will": self.number}, "channel": FAR})
        if self.kind == "doomed":
            made.append({"op": "set", "key": "never", "value": 1, "if": {"never": NO_VERSION}, **here})
        return made
