"""The notebook of docs/, cell by cell, in a process of its own as a kernel would run it."""

import json
import os
from pathlib import Path

import pytest

from tests.warm_processes import WarmProcess

pytestmark = pytest.mark.usefixtures("database_made_before")

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "python.ipynb"
KERNEL = Path(__file__).with_name("notebook_kernel.py")


def test_the_notebook_runs_from_its_first_to_its_last_cell(folder, tmp_path_factory: pytest.TempPathFactory) -> None:
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] for cell in cells)  # what it shows depends on the machine
    sources = tmp_path_factory.mktemp("notebook") / "cells.json"
    sources.write_text(json.dumps(["".join(cell["source"]) for cell in cells]))
    kernel = WarmProcess([str(KERNEL), str(sources)], folder.path, os.environ, warm_children=True)
    out, err = kernel.communicate(timeout=500)
    assert kernel.returncode == 0, err
    shown = [line for line in out.splitlines() if line.startswith(">")]
    assert shown[0].startswith("> ('finished', ")
    assert shown[2].count(",") == 2  # three texts
    assert shown[3].count("finished") == 2 and "transformer.num_heads" in shown[3]
    assert shown[4].startswith("> ('trial-000")
    assert shown[5].startswith("> [Reading(text=")
    assert out.splitlines()[-1] == "training.epochs must be null or at least 1, not 0."
    assert "epoch 1" in err  # the progress of the training
    assert "sweep smoke: 2 trials" in err  # and of the search
    assert len(folder.runs()) == 4
