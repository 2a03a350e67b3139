"""Measure how soon images are read beside many requests with costly patterns, and the memory for the patterns.

Run: python -m benchmarks.serve_patterns --image FILE model=MODEL [override of conf/serve.yaml ...]
"""

import argparse
import http.client
import re
import signal
import string
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import numpy as np

_CHARACTERS = string.digits + string.ascii_lowercase
_TIMEOUT_S = 600
_PAUSE_S = 0.03


def main() -> int:
    """Start a server. The exit code is 1 if a request beside the patterns took longer than a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", type=Path, required=True)
    parser.add_argument(
        "--patterns", type=int, default=500, help="number of requests with a pattern, each a different one"
    )
    parser.add_argument("--beside", type=int, default=100, help="requests without")
    options, overrides = parser.parse_known_args()
    image = options.image.read_bytes()
    limits = ["limits.requests_per_second=null", f"limits.concurrent={2 * options.patterns}", "port=0"]
    command = [sys.executable, "-m", "captcha_exp.serve", *limits, *overrides]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        port = _port(server)
        return _measure(server.pid, port, image, options.patterns, options.beside)
    finally:
        begun = time.perf_counter()
        server.send_signal(signal.SIGTERM)
        server.wait()
        print(f"ended {time.perf_counter() - begun:.1f} s after SIGTERM")


def _port(server: "subprocess.Popen[str]") -> int:
    for line in server.stdout or ():
        address = re.search(r"page http://\S+:(\d+)", line)
        if address:
            return int(address[1])
    raise SystemExit("the server did not start")


def _measure(pid: int, port: int, image: bytes, patterns: int, beside: int) -> int:
    alone = [_read(port, image)[1] for _ in range(beside)]
    before = _memory_mib(pid, "VmRSS")
    answers: list[int] = []
    chosen = (f".*[{_CHARACTERS[n % 36]}{_CHARACTERS[n // 36 % 36]}].{{8}}" for n in range(patterns))
    clients = [
        threading.Thread(target=lambda known=known: answers.append(_read(port, image, f"?pattern={quote(known)}")[0]))
        for known in chosen
    ]
    begun = time.perf_counter()
    for client in clients:
        client.start()
    time.sleep(1)
    seconds = []
    for _ in range(beside):
        seconds.append(_read(port, image)[1])
        time.sleep(_PAUSE_S)
    waiting = patterns - len(answers)
    for client in clients:
        client.join()
    print(f"{patterns} requests with a pattern: {dict(Counter(answers))} in {time.perf_counter() - begun:.0f} s")
    print(f"{beside} without, alone: {_told(alone)}")
    print(f"{beside} without, beside them, {waiting} still waiting at the end: {_told(seconds)}")
    print(f"memory {before:.0f} MiB before, {_memory_mib(pid, 'VmHWM'):.0f} MiB at most")
    return 0 if max(seconds) < 1 else 1


def _read(port: int, image: bytes, query: str = "") -> tuple[int, float]:
    begun = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_S)
    connection.request("POST", f"/v1/read{query}", image, {"Content-Type": "image/png"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, time.perf_counter() - begun


def _told(seconds: list[float]) -> str:
    p50, p99 = np.percentile(np.array(seconds) * 1000, [50, 99])
    return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {1000 * max(seconds):.0f} ms"


def _memory_mib(pid: int, key: str) -> float:
    found = re.search(rf"{key}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else float("nan")


if __name__ == "__main__":
    sys.exit(main())
