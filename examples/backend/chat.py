"""The chat of a room: what a page says comes to the backend, which checks it and tells everybody.

A line that the relay has acknowledged appears exactly once, whatever restarts meanwhile:
- From page to relay: the browser client says it again, under the same `ref`, until it is acknowledged. The relay takes it once.
- From relay to backend: a message that was not done when the backend died is handed out again. It may have been told already,
  so it is told under an id, by which the relay knows what it has done (for 10 minutes), and only if it is not in the chat.
"""

from typing import Any, Optional

from pydantic import Field

from shared import ROOMS, Guest, change, read, relay
from syncrelay import Message

KEPT = 30  # lines, for those who come later


class Line(Guest):
    id: str = Field(min_length=1, max_length=40)  # the page's own, by which it knows its line again
    text: str = Field(min_length=1, max_length=200)


@relay.on("chat:say")
async def say(message: Message) -> None:
    line = read(message, Line)
    if message.channel not in ROOMS or message.id is None:
        return
    if line is None or not line.text.strip():
        await refuse(message, "a line has 1 to 200 characters, and a name 1 to 24")
        return
    said = {"id": line.id, "from": message.id, "name": line.name, "text": line.text}

    def added(lines: Optional[list[Any]]) -> Optional[list[Any]]:
        return None if lines and said in lines else [*(lines or []), said][-KEPT:]

    await change(relay.channel(message.channel), "chat", added, "chat:said", id=f"chat-{message.number}")


async def refuse(message: Message, reason: str) -> None:
    """To who said it alone, on all its tabs."""
    id = message.data.get("id") if isinstance(message.data, dict) else None
    await relay.channel(f"@{message.id}").broadcast("chat:refused", {"id": id, "reason": reason})
