"""Measure how fast and how reliably the server answers many clients at once.

Run: python -m benchmarks.serve_load --images DIR model=MODEL [override of conf/serve.yaml ...]
"""

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np

_START_TIMEOUT_S = 120
_PORT = 7861
_ATTACK_BEGINS_S = 3


def main() -> int:
    """Start a server, send `--requests` images from `--clients` connections, and print the answers' figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--images", type=Path, required=True, help="folder of image files; each request sends one, in turn"
    )
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--hostile", action="store_true", help="send them again beside `benchmarks.hostile`")
    options, overrides = parser.parse_known_args()
    images = [path.read_bytes() for path in sorted(options.images.iterdir()) if path.is_file()]
    started = time.perf_counter()
    command = [sys.executable, "-m", "captcha_exp.serve", f"port={_PORT}", *overrides]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_until_ready(server)
        print(f"ready after {time.perf_counter() - started:.1f} s, {_processor_s(server.pid):.1f} s of processor time")
        if options.hostile:
            return _compare(images, options.requests, options.clients)
        before = _processor_s(server.pid)
        statuses, seconds, wall_s = _send(images, options.requests, options.clients)
        _report(statuses, seconds, wall_s, options.clients, _processor_s(server.pid) - before)
        return 0 if statuses == Counter({200: options.requests}) else 1
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def _wait_until_ready(server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < until and server.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", _PORT, timeout=1)
            connection.request("GET", "/readyz")
            if connection.getresponse().status == http.client.OK:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def _send(images: list[bytes], requests: int, clients: int) -> tuple[Counter[int | str], np.ndarray, float]:
    """Statuses, seconds of each request, and seconds of all. Each client has its own address."""
    statuses: Counter[int | str] = Counter()
    seconds = np.zeros(requests)
    lock = threading.Lock()

    def client(index: int) -> None:
        source = (f"127.0.1.{index + 1}", 0)
        connection = http.client.HTTPConnection("127.0.0.1", _PORT, timeout=60, source_address=source)
        for number in range(index, requests, clients):
            begun = time.perf_counter()
            try:
                connection.request("POST", "/v1/read", images[number % len(images)], {"Content-Type": "image/png"})
                answer = connection.getresponse()
                status: int | str = (
                    answer.status if "text" in json.loads(answer.read()) else f"{answer.status}, no text"
                )
            except (OSError, http.client.HTTPException, ValueError) as error:
                status = type(error).__name__
                connection.close()
            seconds[number] = time.perf_counter() - begun
            with lock:
                statuses[status] += 1

    threads = [threading.Thread(target=client, args=(index,)) for index in range(clients)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses, seconds, time.perf_counter() - begun


def _compare(images: list[bytes], requests: int, clients: int) -> int:
    """Send the requests in parts, in turn alone and beside a hostile client, so that both see the same machine."""
    statuses: dict[bool, Counter[int | str]] = {False: Counter(), True: Counter()}
    seconds: dict[bool, list[np.ndarray]] = {False: [], True: []}
    for hostile in (False, True, False, True):
        attacker = _start_attacker() if hostile else None
        some, took, _ = _send(images, requests // 2, clients)
        statuses[hostile] += some
        seconds[hostile].append(took)
        if attacker:
            attacker.send_signal(signal.SIGTERM)
            attacker.wait()
    p99 = {hostile: np.percentile(1000 * np.concatenate(took), 99) for hostile, took in seconds.items()}
    for hostile, name in ((False, "alone"), (True, "beside a hostile client")):
        p50 = np.percentile(1000 * np.concatenate(seconds[hostile]), 50)
        answers = ", ".join(f"{number} x {status}" for status, number in statuses[hostile].most_common())
        print(f"{name}: {answers}; latency p50 {p50:.1f} ms, p99 {p99[hostile]:.1f} ms")
    print(f"p99 beside it is {p99[True] / p99[False]:.2f} times the p99 alone")
    return 0 if all(one == Counter({200: 2 * (requests // 2)}) for one in statuses.values()) else 1


def _start_attacker() -> "subprocess.Popen[bytes]":
    attacker = subprocess.Popen([sys.executable, "-m", "benchmarks.hostile", "--port", str(_PORT)])
    time.sleep(_ATTACK_BEGINS_S)
    return attacker


def _report(statuses: Counter[int | str], seconds: np.ndarray, wall_s: float, clients: int, server_s: float) -> None:
    count = len(seconds)
    answers = ", ".join(f"{number} x {status}" for status, number in statuses.most_common())
    print(f"{count} requests from {clients} clients: {answers}")
    p50, p95, p99 = np.percentile(seconds * 1000, [50, 95, 99])
    print(f"latency p50 {p50:.1f} ms, p95 {p95:.1f} ms, p99 {p99:.1f} ms, longest {seconds.max() * 1000:.1f} ms")
    print(
        f"{count / wall_s:.0f} requests/s; of the server {1000 * server_s / count:.2f} ms of processor time a request, "
        f"of the clients {1000 * time.process_time() / count:.2f} ms"
    )


def _processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
