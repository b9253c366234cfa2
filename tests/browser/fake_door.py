"""An admin listener as docs/protocol.md says, without a relay: what it answers is for the test to choose."""

import json
import math
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGES = Path(__file__).resolve().parents[2] / "src/pages"
TABLE = re.compile(r"'admin_page_files': \{(.*?)\}", re.DOTALL)
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
          "frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
STEP = 2  # seconds of a sample
EPOCH = "00c0ffee00c0ffee"


def page_files():
    """The files by their path, as src/pages/meson.build has them."""
    [table] = TABLE.findall((PAGES / "meson.build").read_text())
    return {path: PAGES / source for path, source in re.findall(r"'(/[^']*)': '([^']+)'", table)}


def client(number, **more):
    return {"id": number, "address": f"10.0.{number // 250}.{number % 250}", "since": time.time() - number, "lag": 0,
            "bytes": 1000 * number, "last_pong": number % 20 + 0.5, "channels": 1 + number % 3, **more}


def samples(count=450):
    now = time.time()
    return [{"ts": now - STEP * (count - index), "clients": 900 + round(80 * math.sin(index / 40)),
             "events": round(60 + 25 * math.sin(index / 15)), "bytes": 1_500_000 + 400_000 * math.sin(index / 15),
             "delay_p50": 0.0006 + 0.0002 * math.sin(index / 9), "delay_p99": 0.004 + 0.002 * math.sin(index / 23),
             "commands": 55 + index % 9, "refused": 1 if index % 60 == 0 else 0,
             "slow": 2 if 200 < index < 230 else 0, "stalled": 0}
            for index in range(count)]


class Door:
    """What the listener knows. `asked` has every operation that came, with its time."""

    def __init__(self):
        self.token = None
        self.clients = [client(1, identity="ada"), client(2, identity="bob", lag=4200, stalled=3.5), client(3)]
        self.channels = {"": {"radio": {"track": {"title": "Harbour Lights"}}, "comparison": None},
                         "room:42": {"topic": "Harbours"}}
        self.members = {"room:42": {"ada": {"info": {"name": "Ada"}, "since": 1763838000.0}}}
        self.events = []
        self.refused = []
        self.stories = {}
        self.asked = []
        self.changed = threading.Condition()

    def say(self, type, data, channel=""):
        with self.changed:
            self.events.append({"type": type, "data": data, "ts": time.time(), "seq": len(self.events) + 1, "channel": channel})
            self.changed.notify_all()

    def answer(self, command):
        self.asked.append((time.monotonic(), command["op"]))
        operation = getattr(self, f"op_{command['op']}", None)
        if operation is None:
            return 400, self.error("unknown_op", f"no operation {command['op']}")
        return operation(command)

    @staticmethod
    def error(code, message):
        return {"ok": False, "error": {"code": code, "message": message, "offset": 0}}

    def ok(self, **members):
        return 200, {"ok": True, "seq": len(self.events), "epoch": EPOCH, "clients": len(self.clients), **members}

    def op_clients(self, _):
        return self.ok(clients=self.clients)

    def op_stats(self, _):
        used = {"commands": 812, "commands_rejected": len(self.refused), "duplicates": 3, "ids": 4100, "events": 790,
                "state_keys": 12,
                "state_bytes": 734_003, "inbox_messages": 4, "inbox_bytes": 2048, "inbox_leased": 2, "inbox_received": 920,
                "inbox_done": 914, "inbox_redelivered": 1, "members": 17, "log_events": 61_000, "log_bytes": 15_900_000,
                "channels": 240, "clients": len(self.clients), "slow_clients": 1, "lag_events_max": 4200}
        bounds = {"clients": 10_000, "state_bytes": 268_435_456, "state_keys": 100_000, "log_bytes": 16_777_216,
                  "log_events": 100_000,
                  "channels": 100_000, "members": 100_000, "inbox_messages": 10_000, "inbox_bytes": 67_108_864, "ids": 100_000}
        return self.ok(stats=used, limits=bounds, storage="off", cluster=False, version="0.2.0", started=time.time() - 93_600)

    def op_history(self, _):
        return self.ok(step=STEP, samples=samples())

    def op_refused(self, command):
        return self.ok(refused=self.refused[:command.get("max", 200)])

    def op_channels(self, command):
        after = command.get("after")
        names = sorted(name for name in self.channels
                       if name.startswith(command.get("prefix", "")) and (after is None or name > after))
        limit = command.get("limit", 100)
        listed = [{"name": name, "seq": len(self.events), "epoch": EPOCH, "subscribers": 3, "keys": len(self.channels[name]),
                   "bytes": 120}
                  for name in names[:limit]]
        return self.ok(channels=listed, more=len(names) > limit)

    def op_state(self, command):
        return self.ok(state=self.channels.get(command.get("channel", ""), {}), versions={})

    def op_members(self, command):
        name = command.get("channel", "")
        return self.ok(members=self.members.get(name, {}), **({} if name in self.members else {"kept": False}))

    def op_events(self, command):
        name, after = command.get("channel", ""), command.get("after")
        with self.changed:
            def found():
                return [each for each in self.events if each["channel"] == name and (after is None or each["seq"] > after)]
            if after is not None:
                self.changed.wait_for(found, command.get("wait", 0))
            return self.ok(events=found()[-command.get("max", 100):])

    def op_disconnect(self, command):
        before = len(self.clients)
        self.clients = [each for each in self.clients
                        if (each["identity"] != command["id"] if "id" in command else each["id"] != command["connection"])]
        return self.ok(closed=before - len(self.clients))

    def op_explain(self, command):
        if command["client"] not in self.stories:
            return 404, self.error("unknown_client", "nothing is known of it")
        return 200, {"ok": True, "client": command["client"], "live": True, "story": self.stories[command["client"]],
                     "now": {"channels": 2, "lag": 3, "bytes": 475_845, "last_pong": 18.97}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path == "/health":
            return self.json(200, {"status": "ok", "version": "0.2.0"})
        file = page_files().get(self.path)
        if file is None:
            return self.json(404, Door.error("not_found", self.path))
        return self.reply(200, file.read_bytes(), TYPES[file.suffix])

    def do_POST(self):
        door = self.server.door
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if door.token and self.headers["Authorization"] != f"Bearer {door.token}":
            return self.json(401, Door.error("unauthorized", "an admin token is needed"))
        return self.json(*door.answer(json.loads(body)))

    def json(self, status, value):
        self.reply(status, json.dumps(value).encode(), "application/json")

    def reply(self, status, body, content_type):
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(body)), "Content-Security-Policy": POLICY,
                            "Cache-Control": "no-store"}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class FakeDoor:
    """Serves a Door on a free port until stop()."""

    def __init__(self):
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.door = self.door = Door()
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
