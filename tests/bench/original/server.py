"""What the relay replaces, in small: a FastAPI process that sends to its clients one by one.

Kept as it was, faults included: it is what the benchmark compares with. Besides the original
endpoint it has POST /publish, which broadcasts its JSON body, as the API's handlers did.
"""

import json
import os
import resource
import socket
import time
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect


class SyncManager:
    def __init__(self) -> None:
        self.connections: list[WebSocket] = []
        self.current_comparison: Any = None
        self.current_radio: Any = None

    async def connect(self, websocket: WebSocket) -> None:
        await websocket.accept()
        self.connections.append(websocket)

    def disconnect(self, websocket: WebSocket) -> None:
        if websocket in self.connections:
            self.connections.remove(websocket)

    def get_current_state(self) -> dict[str, Any]:
        return {"comparison": self.current_comparison, "radio": self.current_radio}

    async def broadcast(self, event_type: str, data: Any) -> None:
        message = {"type": event_type, "data": data, "ts": time.time()}
        gone = []
        for connection in self.connections:
            try:
                await connection.send_json(message)
            except Exception:  # any failure means that this client is gone
                gone.append(connection)
        for connection in gone:
            self.disconnect(connection)


app = FastAPI()
sync_manager = SyncManager()


@app.websocket("/ws/sync")
async def sync(websocket: WebSocket) -> None:
    await sync_manager.connect(websocket)
    try:
        await websocket.send_json({"type": "sync:full", "data": sync_manager.get_current_state()})
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        sync_manager.disconnect(websocket)


@app.post("/publish")
async def publish(request: Request) -> Response:
    await sync_manager.broadcast("bench", await request.json())
    return Response(status_code=204)


def main() -> None:
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    ready = {"ready": True, "port": listener.getsockname()[1], "pid": os.getpid()}
    app.add_event_handler("startup", lambda: print(json.dumps(ready), flush=True))
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
