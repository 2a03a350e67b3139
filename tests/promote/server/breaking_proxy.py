"""A server on loopback that passes requests on to another one, and breaks those that are chosen."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

# refused: answered 500, not passed on. lost: passed on, and the answer is 500. hanging: passed on, never answered.
Break = Literal["refused", "lost", "hanging"]
Choose = Callable[[str, str], Break | None]


class BreakingProxy(ThreadingHTTPServer):
    """`choose` is asked with method and path of each request; `uri` is the address to use."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.uri = f"http://127.0.0.1:{self.server_address[1]}"
        self.behind = port
        self.choose: Choose = lambda method, path: None
        self.ended = threading.Event()


@contextmanager
def breaking_proxy(port: int) -> Iterator[BreakingProxy]:
    """A proxy before the server at `port` of this machine."""
    proxy = BreakingProxy(port)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.ended.set()
        proxy.shutdown()
        proxy.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: BreakingProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # it would hold back each answer for 40 ms

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        broken = self.server.choose(self.command, self.path)
        status, kind, answer = 500, "text/plain", b"broken on purpose"
        if broken != "refused":
            status, kind, answer = self._ask(body)
        if broken == "hanging":
            self.server.ended.wait()
        if broken == "lost":
            status, kind, answer = 500, "text/plain", b"broken on purpose"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        with suppress(OSError):  # whoever asked has given up
            self.wfile.write(answer)

    def _ask(self, body: bytes) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=30)
        headers = {key: value for key, value in self.headers.items() if key.lower() != "connection"}
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Content-Type", ""), answer.read()
        finally:
            connection.close()

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _pass  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""
