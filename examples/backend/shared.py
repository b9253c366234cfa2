"""What all parts of the backend use: the relay, the catalogue, and how state is changed."""

from contextlib import suppress
from itertools import combinations
from typing import Any, Callable, Optional, Type, TypeVar

from pydantic import BaseModel, Field, ValidationError

from syncrelay import AsyncChannel, AsyncRelay, Conflict, Message

relay = AsyncRelay()

TRACKS = [
    {"id": index, "title": title, "artist": artist}
    for index, (title, artist) in enumerate([
        ("Harbour Lights", "The Quiet Cartographers"),
        ("Seven Small Engines", "Ada & the Looms"),
        ("Paper Lanterns", "Northbound Ferry"),
        ("Slow Comet", "Ilse Varga"),
        ("Salt and Copper", "Greenhouse Radio"),
        ("Morning on Platform Two", "The Quiet Cartographers"),
        ("Tin Roof Rain", "Mbali Okoye"),
        ("Long Way to Low Tide", "Northbound Ferry"),
    ])
]

# The channel of each pair, and its two tracks. The lower number comes first, so that a pair has one room.
ROOMS = {f"room:{first}-{second}": (first, second) for first, second in combinations(range(len(TRACKS)), 2)}

Model = TypeVar("Model", bound=BaseModel)


class Guest(BaseModel):
    name: str = Field(min_length=1, max_length=24)


def read(message: Message, model: Type[Model]) -> Optional[Model]:
    """Clients may send anything. None: this is not what was expected."""
    try:
        return model(**message.data)
    except (TypeError, ValidationError):
        return None


async def change(
    room: AsyncChannel, key: str, function: Callable[[Any], Any], event: str, id: Optional[str] = None
) -> Optional[int]:
    """Stores what `function` makes of the value and tells `event`, in one step, and again when somebody was faster. Returns the
    new version. None: `function` has returned None, and nothing was changed. Under a known `id` the relay does nothing."""
    while True:
        stored = await room.state(key, versions=True)
        new = function(stored.value)
        if new is None:
            return None
        with suppress(Conflict):
            position = await room.broadcast(event, set={key: new}, if_version={key: stored.version}, id=id)
            return position.versions.get(key)
