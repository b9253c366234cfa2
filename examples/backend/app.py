"""A music backend in small: it decides, and syncrelay tells every browser.

It keeps no connection and no state of its own, so it can be restarted at any time: the relay goes on
holding the clients, what they were told last, and what they say meanwhile.

The radio and the comparison are everybody's: they lie in the default channel. Each pair of tracks has a room
besides, which is a channel of its own. It begins when somebody opens its page. Here is what pages ask for by HTTP;
what they say over their connection to the relay is in player.py and chat.py.
"""

import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, Field

import chat  # noqa: F401  its handlers, and those of the player
import player  # noqa: F401
from shared import ROOMS, TRACKS, Guest, relay
from syncrelay import RelayUnavailable, lifespan

PAGE = Path(__file__).parent / "page"
RELAY_PORT = os.environ.get("SYNCRELAY_PORT") or "8642"

app = FastAPI(title="syncrelay example")
app.mount("/page", StaticFiles(directory=PAGE), name="page")
# What pages say is handled as long as the app runs; the end waits until the relay has what was pushed. After a crash the
# messages that were in hand come again when their lease (in seconds) is over.
app.router.lifespan_context = lifespan(relay, app.router.lifespan_context, lease=3)


class Verdict(BaseModel):
    winner: int
    loser: int


class Start(BaseModel):
    track: int


class Vote(Guest):
    track: int


class Note(Guest):
    text: str = Field(min_length=1, max_length=200)


@app.get("/", response_class=HTMLResponse)
async def index() -> str:
    return page("index.html")


@app.get("/tracks")
async def tracks() -> list[dict[str, Any]]:
    return TRACKS


@app.post("/comparison/verdict")
async def record_verdict(verdict: Verdict) -> dict[str, Any]:
    """The winner stays, the next track of the catalogue challenges it."""
    winner, loser = track(verdict.winner), track(verdict.loser)
    challenger = following(loser, winner)
    comparison = {"pair": [winner, challenger], "prefetched": [winner, following(challenger, winner)]}
    await relay.broadcast(
        "comparison:advanced", {"winner": winner, **comparison}, set={"comparison": comparison}
    )
    return comparison


@app.post("/radio/start")
async def start_radio(start: Start) -> dict[str, Any]:
    radio = {"track": track(start.track)}
    await relay.broadcast("radio:started", radio, set={"radio": radio})
    return radio


@app.get("/rooms/{first}-{second}", response_class=HTMLResponse)
async def room_page(first: int, second: int) -> str:
    room(first, second)
    return page("room.html")


@app.post("/rooms/{first}-{second}/vote")
async def vote(first: int, second: int, vote: Vote) -> None:
    """One step: nobody hears who chose what before it is so. Votes that come at once are all kept: each is a patch."""
    if vote.track not in (first, second):
        raise HTTPException(404, f"track {vote.track} is not in this room")
    where = room(first, second)
    async with relay.batch() as step:
        votes = step.channel(where)
        votes.merge("votes", {vote.name: vote.track})
        votes.broadcast("vote:cast", {"name": vote.name, "track": track(vote.track)})


@app.post("/rooms/{first}-{second}/typing")
async def typing(first: int, second: int, guest: Guest) -> None:
    """Is over by itself."""
    await relay.channel(room(first, second)).set("typing", guest.name, ttl=3)


@app.post("/rooms/{first}-{second}/note")
async def pin(first: int, second: int, note: Note) -> None:
    async with relay.batch() as step:
        notes = step.channel(room(first, second))
        notes.set("note", {"text": note.text, "name": note.name})
        notes.delete("typing")


@app.post("/rooms/{first}-{second}/close")
async def close(first: int, second: int) -> None:
    """All of the room is forgotten; whoever comes or stays finds it empty."""
    await relay.channel(room(first, second)).drop()


@app.exception_handler(RelayUnavailable)
async def relay_unavailable(_: Request, error: RelayUnavailable) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=503)


def page(name: str) -> str:
    return (PAGE / name).read_text().replace("{{relay_port}}", RELAY_PORT)


def room(first: int, second: int) -> str:
    """The channel of a pair."""
    name = f"room:{first}-{second}"
    if name not in ROOMS:
        raise HTTPException(404, f"there is no room for {first} and {second}")
    return name


def track(number: int) -> dict[str, Any]:
    if not 0 <= number < len(TRACKS):
        raise HTTPException(404, f"there is no track {number}")
    return TRACKS[number]


def following(after: dict[str, Any], other_than: dict[str, Any]) -> dict[str, Any]:
    """The next track of the catalogue, skipping `other_than`."""
    candidate = TRACKS[(after["id"] + 1) % len(TRACKS)]
    return following(candidate, other_than) if candidate is other_than else candidate
