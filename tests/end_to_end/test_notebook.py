"""The notebook of docs/, cell by cell, in a process of its own as a kernel would run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("database_made_before")

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "python.ipynb"
# Runs all cells in one namespace, and prints the value of each cell's last line, as a notebook does.
KERNEL = """
import ast, json, sys
known = {"__name__": "__main__"}
for source in json.load(sys.stdin):
    lines = ast.parse(source).body
    last = lines.pop() if isinstance(lines[-1], ast.Expr) else None
    exec(compile(ast.Module(lines, []), "cell", "exec"), known)
    if last is not None:
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), known)
        if value is not None:
            print(">", str(value).replace(chr(10), " | "), flush=True)
"""


def test_the_notebook_runs_from_its_first_to_its_last_cell(folder) -> None:
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in cells)  # what it shows depends on the machine
    done = subprocess.run(
        [sys.executable, "-c", KERNEL],
        input=json.dumps(["".join(cell["source"]) for cell in cells]),
        cwd=folder.path,
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    shown = [line for line in done.stdout.splitlines() if line.startswith(">")]
    assert shown[0].startswith("> ('finished', ")
    assert shown[2].count(",") == 2  # three texts
    assert shown[3].count("finished") == 2 and "transformer.num_heads" in shown[3]
    assert shown[4].startswith("> ('trial-000")
    assert shown[5].startswith("> [Reading(text=")
    assert done.stdout.splitlines()[-1] == "training.epochs must be null or at least 1, not 0."
    assert "epoch 1" in done.stderr  # the progress of the training
    assert "sweep smoke: 2 trials" in done.stderr  # and of the search
    assert len(folder.runs()) == 4
