"""The form of a model that is served."""

import base64
import json
import os
import subprocess
import sys
import textwrap
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from captcha_exp.errors import InputError
from captcha_exp.predict.load_predictor import load_predictor
from captcha_exp.promote.servable import check_servable
from captcha_exp.tracking import LoadedRecogniser, load_recogniser
from tests.loopback import end_server, free_port, start_server

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def texts(servable: Path, files: list[bytes]) -> list[str]:
    return [reading.text for reading in load_predictor(str(servable), "").read(files)]


def test_a_servable_form_that_reads_otherwise_is_refused(servable: Path, files: list[bytes], texts: list[str]) -> None:
    check_servable(servable, files, texts)
    message = (
        f"The servable model reads {texts[3]!r} in image 3 where the trained one reads 'other'; it was not registered"
    )
    with pytest.raises(InputError, match=message):
        check_servable(servable, files, [*texts[:3], "other", *texts[4:]])
    with pytest.raises(InputError, match="not on 0 with 0"):
        check_servable(servable, [], [])


def test_the_servable_form_is_still_the_logged_model(servable: Path, recogniser: LoadedRecogniser) -> None:
    loaded = load_recogniser(str(servable), "")
    for part in ("characters", "image", "decoding", "dataset", "config", "run_id", "model_id"):
        assert getattr(loaded, part) == getattr(recogniser, part)
    np.testing.assert_array_equal(loaded.training_images, recogniser.training_images)
    image = np.zeros((1, *recogniser.model.input_shape[1:]), np.float32)
    np.testing.assert_array_equal(loaded.model(image), recogniser.model(image))


def test_it_carries_the_reader_alone(servable: Path) -> None:
    carried = servable / "code" / "captcha_exp"
    assert {path.name for path in carried.iterdir()} - {"__pycache__"} == {"__init__.py", "errors.py", "reader"}


def test_it_reads_where_this_package_and_tensorflow_are_not_installed(
    servable: Path, files: list[bytes], texts: list[str], tmp_path: Path
) -> None:
    (tmp_path / "image.png").write_bytes(files[0])
    script = """
        import sys
        from pathlib import Path
        repository, model = sys.argv[1:]
        sys.path = [path for path in sys.path if Path(path or ".").resolve() != Path(repository)]
        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name.split(".")[0] in {"tensorflow", "keras", "hydra", "omegaconf"}:
                    raise ModuleNotFoundError(name)
        sys.meta_path.insert(0, Absent())
        import mlflow.pyfunc, pandas
        data = pandas.DataFrame({"image": [Path("image.png").read_bytes(), b"no image"]})
        loaded = mlflow.pyfunc.load_model(model)
        import captcha_exp.reader.image
        if not Path(captcha_exp.reader.image.__file__).is_relative_to(model):
            sys.exit(f"found {captcha_exp.reader.image.__file__}")
        rows = loaded.predict(data).to_dict("records")
        held = loaded.predict(data[:1], params={"pattern": "b{2}"})
        print(rows[0]["text"], rows[1]["error"], held["text"][0], sep="|")
    """
    child = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(REPOSITORY), str(servable)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert child.returncode == 0, child.stderr
    text, error, held = child.stdout.strip().split("|")
    assert (text, held) == (texts[0], "bb")
    assert error.startswith("not an image")


@pytest.fixture
def address(servable: Path, tmp_path: Path) -> Iterator[str]:
    """The address at which MLflow's own server serves the model."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(servable), "--env-manager", "local"]
    command += ["-h", "127.0.0.1", "-p", str(port)]
    # MLflow starts uvicorn by its name.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    server = start_server(command, f"http://127.0.0.1:{port}/ping", tmp_path, PATH=path)
    yield f"http://127.0.0.1:{port}/invocations"
    end_server(server)


def post(address: str, content: dict) -> list[dict]:
    request = urllib.request.Request(address, json.dumps(content).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["predictions"]


def test_mlflow_serves_it(address: str, files: list[bytes], texts: list[str]) -> None:
    images = [[base64.b64encode(data).decode()] for data in (*files[:3], b"no image")]
    content = {"dataframe_split": {"columns": ["image"], "data": images}}
    rows = post(address, content)
    assert [row["text"] for row in rows] == [*texts[:3], ""]
    assert all(0 < row["confidence"] <= 1 and row["error"] == "" for row in rows[:3])
    assert rows[3]["error"].startswith("not an image")
    held = post(address, {**content, "params": {"pattern": "[ab]{3}", "max_length": 3}})
    assert all(set(row["text"]) <= set("ab") and len(row["text"]) == 3 for row in held[:3])
