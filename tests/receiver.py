"""
A receiver of webhooks, as somebody else would write it: a program of its own that keeps what it is sent and answers as it is told.

    python receiver.py PORT FILE [STATUS] [STOP_AFTER]

Each request becomes a line of FILE (JSON: headers, body). After STOP_AFTER requests it dies in the middle of one, without an answer.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def main() -> None:
    port, path = int(sys.argv[1]), Path(sys.argv[2])
    status = int(sys.argv[3]) if len(sys.argv) > 3 else 204
    stop_after = int(sys.argv[4]) if len(sys.argv) > 4 else -1
    seen = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            nonlocal seen
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": body}) + "\n")
            seen += 1
            if seen == stop_after:
                os._exit(9)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            if status == 302:
                self.send_header("Location", f"http://127.0.0.1:{port}/elsewhere")
            self.end_headers()

        def log_message(self, *_args):
            pass

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


main()
