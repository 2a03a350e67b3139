"""A running server over a model that reads bars of grey, exactly."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import onnx
import pytest
import requests
from hydra import compose, initialize_config_dir
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from captcha_exp.config import ServingConfig, conf_dir, load
from captcha_exp.reader.onnx_file import ONNX_KEY
from captcha_exp.serve.application import Application
from captcha_exp.serve.model_holder import ModelHolder
from captcha_exp.serve.server import Server

HEIGHT, STEPS, STEP_WIDTH = 8, 12, 4
CHARACTERS = "abcd"
SHARPNESS = 400.0


def write_model(path: Path, characters: str = CHARACTERS, model_id: str = "m-bars") -> Path:
    """An ONNX file that reads bars: black is the first character, lighter greys are the next, white is nothing."""
    classes = len(characters) + 1
    levels = np.array([1.0, *np.arange(classes - 1) / (classes - 1)], np.float32)  # the blank first
    nodes = [
        helper.make_node("ReduceMean", ["image", "height"], ["rows"], keepdims=0),  # (B, W, 1)
        helper.make_node("Reshape", ["rows", "steps"], ["cells"]),  # (B, T, STEP_WIDTH)
        helper.make_node("ReduceMean", ["cells", "last"], ["grey"], keepdims=1),  # (B, T, 1)
        helper.make_node("Sub", ["grey", "levels"], ["apart"]),  # (B, T, K)
        helper.make_node("Mul", ["apart", "apart"], ["squared"]),
        helper.make_node("Mul", ["squared", "sharpness"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["output"], axis=-1),
    ]
    constants = {
        "height": np.array([1], np.int64),
        "last": np.array([-1], np.int64),
        "steps": np.array([-1, STEPS, STEP_WIDTH], np.int64),
        "levels": levels,
        "sharpness": np.float32(-SHARPNESS),
    }
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["B", HEIGHT, STEPS * STEP_WIDTH, 1])
    output = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["B", STEPS, classes])
    graph = helper.make_graph(nodes, "bars", [image], [output], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    described = {
        "characters": characters,
        "image": {"height": HEIGHT, "width": STEPS * STEP_WIDTH, "keep_aspect_ratio": False, "background": 255},
        "decoding": {"kind": "greedy", "beam_width": 1},
        "model_id": model_id,
    }
    helper.set_model_props(model, {ONNX_KEY: json.dumps(described)})
    onnx.save(model, path)
    return path


def bars(text: str, kind: str = "PNG", characters: str = CHARACTERS) -> bytes:
    """An image that shows a text of at most `STEPS / 2` characters, as a file."""
    pixels = np.full((HEIGHT, STEPS * STEP_WIDTH), 255, np.uint8)
    for index, char in enumerate(text):
        left = 2 * index * STEP_WIDTH
        pixels[:, left : left + STEP_WIDTH] = round(255 * characters.index(char) / len(characters))
    data = BytesIO()
    Image.fromarray(pixels).save(data, kind)
    return data.getvalue()


class Served:
    """A server in this process."""

    def __init__(self, port: int, models: ModelHolder, application: Application) -> None:
        self.port, self.models, self.application = port, models, application
        self.url = f"http://127.0.0.1:{port}"

    def read(self, data: object = None, **more: object) -> requests.Response:
        """Post to /v1/read."""
        return requests.post(f"{self.url}/v1/read", data=data, timeout=30, **more)  # type: ignore[arg-type]

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=30)


@contextmanager
def running(folder: Path, model: str, *overrides: str) -> Iterator[Served]:
    """Serve `model` with the store of `folder`."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = load(ServingConfig, compose("serve", [f"root={folder}", f"model={model}", *overrides]))
    uploads = Path(os.environ["GRADIO_TEMP_DIR"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        models = ModelHolder(config.model, f"sqlite:///{folder}/mlruns/mlflow.db", config.threads, config.reload_s)
        application = Application(config, models, {"example.png": bars("abc")}, uploads)
        server = Server(application, config.limits)
        thread = threading.Thread(target=server.run, args=([listener],))
        models.start()
        thread.start()
        yield Served(listener.getsockname()[1], models, application)
        server.should_exit = True
        thread.join()
        models.stop()
        application.close()


@pytest.fixture(scope="session", autouse=True)
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One folder for all servers of this process: Gradio looks up where it is at each request."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("uploads")))
        yield


@pytest.fixture(scope="session")
def bars_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "bars.onnx")


@pytest.fixture(scope="session")
def serve(bars_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Served]]:
    """Serve the bars with overrides of conf/serve.yaml until the session ends."""
    with ExitStack() as stack:

        def start(*overrides: str) -> Served:
            return stack.enter_context(running(tmp_path_factory.mktemp("served"), str(bars_model), *overrides))

        yield start


@pytest.fixture(scope="session")
def served(serve: Callable[..., Served]) -> Served:
    """A server with the limits of conf/serve.yaml, except that on the rate."""
    return serve("limits.requests_per_second=null")
