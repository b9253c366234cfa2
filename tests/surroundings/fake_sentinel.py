"""Answers as a sentinel does, with the master that a test wants. Each relay may have one of its own: a partition."""

import socketserver
import threading

from redis_process import Redis


class FakeSentinel:
    def __init__(self, master: Redis):
        self.master = master
        sentinel = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                while line := self.rfile.readline():
                    for _ in range(int(line[1:])):
                        self.rfile.readline()
                        self.rfile.readline()
                    port = str(sentinel.master.port)
                    self.wfile.write(f"*2\r\n$9\r\n127.0.0.1\r\n${len(port)}\r\n{port}\r\n".encode())

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"redis+sentinel://127.0.0.1:{self.server.server_address[1]}/mymaster"

    def dispose(self) -> None:
        self.server.shutdown()
        self.server.server_close()
