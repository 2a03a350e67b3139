"""What a sweep leaves for others: a message at its end, a table for Python, a study with named objectives."""

import json
import shlex
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import optuna
import pytest
from optuna.trial import create_trial

import captcha_exp
from captcha_exp.config import Direction, ObjectiveConfig
from captcha_exp.errors import InputError
from captcha_exp.sweep.on_end import end_message, tell_end
from captcha_exp.typed_texts import quoted
from tests.sweep.conftest import Sweep

METRIC = "best/val/sequence_accuracy"
ACCURACY = [ObjectiveConfig(metric=METRIC, direction=Direction.maximize)]
HOSTILE = "$(touch pwned); `touch pwned` 'it\"s\x00\n"
KEEP = "import os, sys; open(sys.argv[1], 'w').write(sys.stdin.read() + chr(10) + os.environ['CAPTCHA_EXP_REASON'])"


def command(script: str, *arguments: str) -> str:
    return shlex.join([sys.executable, "-c", script, *arguments])


def test_a_sweep_tells_its_end_to_a_command_and_reads_as_a_table(sweep: Sweep) -> None:
    kept = sweep.folder / "told.json"
    override = f"sweep.on_end={quoted(command(KEEP, str(kept)))}"
    code, printed = sweep.run(override, "sweep.n_trials=2", "sweep.workers=1")
    assert code == 0, printed
    told, reason = kept.read_text().splitlines()
    trials = captcha_exp.load_sweep("t", str(sweep.folder)).to_pandas()
    best = trials[METRIC].idxmax()
    assert reason == json.loads(told)["reason"] == "all trials ended"
    assert json.loads(told)["sweep"] == "t"
    assert json.loads(told)["best"] == {
        "trial": f"trial-{best:04d}",
        "run_id": trials.run_id[best],
        "values": {METRIC: trials[METRIC][best]},
        "params": {"transformer.dropout": trials["transformer.dropout"][best]},
    }
    assert list(trials.columns) == [*("state", "reason", METRIC, "transformer.dropout", "epochs", "seconds", "run_id")]
    assert list(trials.state) == ["finished", "finished"] and list(trials.epochs) == [4, 4]
    assert (sweep.folder / "sweeps/t/trials.csv").read_text().startswith(",".join(["number", *trials.columns]))
    study = optuna.load_study(study_name="t", storage=sweep.storage)
    assert study.metric_names == [METRIC]
    with pytest.raises(InputError, match="There is no sweep 'other'"):
        captcha_exp.load_sweep("other", str(sweep.folder))
    failing = f"sweep.on_end={quoted(command('raise SystemExit(1)'))}"
    code, printed = sweep.run(failing, "sweep.n_trials=2", "sweep.workers=1")
    assert code == 0, "what is told of its end does not change how it ended"
    assert "sweep.on_end could not be told: the command ended with exit code 1." in printed


def test_nothing_of_the_message_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    best = create_trial(
        value=0.5, params={"x": HOSTILE}, distributions={"x": optuna.distributions.CategoricalDistribution([HOSTILE])}
    )
    tell_end(command(KEEP, "kept"), end_message(HOSTILE, HOSTILE, best, ACCURACY))
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    told, reason = Path("kept").read_text().splitlines()
    assert json.loads(told)["best"]["params"] == {"x": HOSTILE}
    assert reason.isprintable()


@pytest.mark.parametrize(
    ("on_end", "line"),
    [("no-such-command-here", "No such file or directory"), ("false", "exit code 1"), ("'open", "No closing quotation"),
     ("http://127.0.0.1:9/x", "refused")],
)  # fmt: skip
def test_a_failure_is_one_line(on_end: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    tell_end(on_end, end_message("s", "all trials ended", None, ACCURACY))
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("sweep.on_end could not be told: ") and line in said


@pytest.fixture
def server() -> Iterator[tuple[str, list[bytes]]]:
    """An address, and what is sent to it."""
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    served = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}/end", got
    served.shutdown()


def test_an_address_gets_the_message_as_json(server: tuple[str, list[bytes]]) -> None:
    address, got = server
    message = end_message("s", "sweep.minutes=3 are over", None, ACCURACY)
    tell_end(address, message)
    assert [json.loads(body) for body in got] == [message]
