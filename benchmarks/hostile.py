"""A client that attacks a server on loopback, within limits.

Run: python -m benchmarks.hostile --port PORT [--seconds 60]
"""

import argparse
import signal
import sys
import threading
from collections import Counter, defaultdict

from benchmarks.attacks import KINDS, PATTERNS, Attack

# Seconds in which an attempt must notice that it should end.
_END_S = 30


class Hostile:
    """All kinds of attack at once, while a `with` statement lasts."""

    def __init__(self, port: int, with_patterns: bool = True) -> None:
        kinds = [*KINDS, *(PATTERNS if with_patterns else [])]
        self._attacks = [
            Attack(number, kind, port, pause_s)
            for number, (kind, at_once, pause_s) in enumerate(kinds)
            for _ in range(at_once)
        ]

    def __enter__(self) -> "Hostile":
        for attack in self._attacks:
            attack.start()
        return self

    def __exit__(self, *_: object) -> None:
        for attack in self._attacks:
            attack.stop()
        for attack in self._attacks:
            attack.join(_END_S)

    def lines(self) -> list[str]:
        """How often each kind of attack was tried, and how the attempts ended."""
        ended: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for attack in self._attacks:
            ended[attack.name] += attack.outcomes
        return [
            f"  {name.replace('_', ' ')}: " + ", ".join(f"{number} x {one}" for one, number in outcomes.most_common())
            for name, outcomes in ended.items()
        ]


def main() -> int:
    """Attack a server on loopback until SIGTERM, or for some seconds, and print the outcomes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--without-patterns", action="store_true", help="leave out costly regular expressions")
    options = parser.parse_args()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with Hostile(options.port, not options.without_patterns) as hostile:
        ended.wait(options.seconds)
    print("\n".join(hostile.lines()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
