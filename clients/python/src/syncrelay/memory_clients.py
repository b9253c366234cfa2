"""Who is connected, and what follows which channel, in memory."""

from __future__ import annotations

from typing import Iterable

from .answer import Client


class MemoryClients:
    """By the channels that they follow."""

    def __init__(self) -> None:
        self.followers: dict[str, list[Client]] = {}

    def all(self) -> list[Client]:
        """Each once, whatever it follows."""
        return list({client.id: client for clients in self.followers.values() for client in clients}.values())

    def of(self, channel: str | None) -> list[Client]:
        """None: all."""
        return self.all() if channel is None else self.followers.get(channel, [])

    def follow(self, channel: str, clients: Iterable[Client]) -> set[int]:
        """Instead of those before. Returns the numbers of those that follow nothing any more."""
        followers = list(clients)
        for client in followers:
            if not isinstance(client, Client):
                raise TypeError(f"a client is a syncrelay.Client, e.g. Client(id=1), not {client!r}")
        before = {client.id for client in self.all()}
        self.followers[channel] = followers
        return before - {client.id for client in self.all()}

    def remove(self, connection: int) -> None:
        for name, clients in self.followers.items():
            self.followers[name] = [client for client in clients if client.id != connection]
