"""The one order across channels: what all connections saw, and what each backend sent, must fit into one sequence."""

from collections import defaultdict

from commands import parts, tag_in, tag_of


class OneOrder:
    """A graph whose nodes are events, (channel, epoch, seq); an edge says which of two comes first, and who says so."""

    def __init__(self, events):
        self._later = defaultdict(dict)  # node to node to who says that it comes later
        for log, by_seq in events.items():
            self._chain([(*log, seq) for seq in sorted(by_seq)], "its seq")

    def _chain(self, nodes, who):
        for first, second in zip(nodes, nodes[1:]):
            self._later[first].setdefault(second, who)

    def add_flow(self, name, steps):
        """Everything comes in the order of the log, each channel from its first message on: only what a resume brings
        back may be older than what came before that."""
        newest, earlier = None, []
        for step in steps:
            here = (*step.log, step.seq)
            if step.type in ("sync:full", "sync:resume"):
                behind = (*step.log, step.to + 1)
                self._edges((newest, *earlier), behind, f"{name} by a {step.type}")
                if step.type == "sync:resume":
                    earlier.append(newest)
                    newest = None
                continue
            self._edges((newest,), here, name)
            if not step.replayed:
                self._edges(earlier, here, name)
                earlier = []
            newest = here

    def _edges(self, firsts, second, who):
        for first in firsts:
            if first is not None:
                self._later[first].setdefault(second, who)

    def add_sender(self, name, made, events):
        """A backend that sends its commands one behind the other. `made` is number to command."""
        places = {(channel, tag_in(part)): (number, index) for number, one in made.items()
                  for index, (channel, part) in enumerate(parts(one)) if tag_in(part)}
        found = defaultdict(list)  # epoch to (place, node)
        for (channel, epoch), by_seq in events.items():
            for seq, message in by_seq.items():
                if place := places.get((channel, tag_of(message.body))):
                    found[epoch].append((place, (channel, epoch, seq)))
        for nodes in found.values():
            self._chain([node for _, node in sorted(nodes)], name)

    def circle(self):
        """[(node, who puts the next one behind it)] of events that go round; empty when there is an order."""
        before = defaultdict(int)
        for later in self._later.values():
            for node in later:
                before[node] += 1
        free = [node for node in self._later if not before[node]]
        while free:
            for node in self._later.pop(free.pop(), ()):
                before[node] -= 1
                if not before[node]:
                    free.append(node)
        return self._walk()

    def _walk(self):
        """Goes back along what is left, where every node has one before it, until a node comes again."""
        back = {}
        for first, later in self._later.items():
            for node in later:
                back[node] = first
        path, node = [], next((n for n in self._later if n in back), None)
        while node is not None and node not in path:
            path.append(node)
            node = back.get(node)
        if node is None:
            return []
        path = path[path.index(node):][::-1]
        return [(node, self._later[node][behind]) for node, behind in zip(path, path[1:] + path[:1])]
