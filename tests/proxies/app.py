"""The backend behind a proxy: answers with its name and what the proxy made of a request."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class App:
    def __init__(self, name):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps({"app": name, "path": self.path, "headers": self.headers.items()}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
