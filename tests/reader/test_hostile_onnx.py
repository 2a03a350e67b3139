"""ONNX files that somebody else made: checked before ONNX Runtime opens them."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from captcha_exp.errors import InputError
from captcha_exp.predict.load_predictor import load_predictor
from captcha_exp.reader.onnx_file import ONNX_KEY, read_onnx
from captcha_exp.reader.predictor import ONNX_FILE, Reading

ELSEWHERE = ", which captcha_exp does not write, so it is not opened; name a file that `captcha_exp.promote` made."


@pytest.fixture(scope="module")
def network(servable: Path) -> onnx.ModelProto:
    return onnx.load(servable / ONNX_FILE)


@pytest.fixture
def refusal(network: onnx.ModelProto, tmp_path: Path) -> Callable[[Callable[[Any], object]], str]:
    """What is said instead of opening the network with a change, without the model's address."""

    def refused(change: Callable[[Any], object]) -> str:
        spoiled = onnx.ModelProto()
        spoiled.CopyFrom(network)
        change(spoiled)
        path = tmp_path / "spoiled.onnx"
        path.write_bytes(spoiled.SerializeToString())
        before = time.monotonic()
        with pytest.raises(InputError) as error:
            load_predictor(str(path), "")
        assert time.monotonic() - before < 10
        message = str(error.value)
        assert "\n" not in message
        return message.removeprefix(f"model={path} ").removeprefix(f"model={path}: ")

    return refused


def first(network: onnx.ModelProto, *nodes: onnx.NodeProto, **weights: np.ndarray) -> None:
    """Compute something else before anything; its result goes into what the network gives."""
    for node in reversed(nodes):
        network.graph.node.insert(0, node)
    network.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), name) for name, v in weights.items())
    network.graph.node.append(helper.make_node("ReduceMean", ["big"], ["mean"], keepdims=0))
    network.graph.node.append(helper.make_node("Add", [network.graph.output[0].name, "mean"], ["sum"]))
    network.graph.output[0].name = "sum"


def weights_elsewhere(network: onnx.ModelProto) -> None:
    tensor = next(tensor for tensor in network.graph.initializer if tensor.data_type == TensorProto.FLOAT)
    tensor.ClearField("raw_data")
    tensor.ClearField("float_data")
    tensor.name, tensor.data_location = "w", TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def constant_elsewhere(network: onnx.ModelProto) -> None:
    tensor = TensorProto(name="c", dims=[1], data_type=1, data_location=TensorProto.EXTERNAL)
    network.graph.node[0].attribute.append(helper.make_attribute("value", tensor))


def loop(network: onnx.ModelProto) -> None:
    names = [helper.make_tensor_value_info("i", 7, []), helper.make_tensor_value_info("c", 9, [])]
    body = helper.make_graph([], "body", names, [names[1]])
    first(network, helper.make_node("Loop", ["n", "t"], ["big"], body=body), n=np.array(2**62), t=np.array(True))


def graph_inside(network: onnx.ModelProto) -> None:
    network.graph.node[0].attribute.append(helper.make_attribute("g", helper.make_graph([], "g", [], [])))


def custom(network: onnx.ModelProto) -> None:
    network.graph.node[0].domain, network.graph.node[0].op_type = "ai.evil", "Shell\x1b"


def function(network: onnx.ModelProto) -> None:
    network.functions.append(helper.make_function("ai.onnx", "Conv", [], [], [], []))


def outer(network: onnx.ModelProto) -> None:
    ones = np.ones(100_000, np.float32)
    first(network, helper.make_node("Mul", ["a", "b"], ["big"]), a=ones[:, None], b=ones[None])


def outer_with_a_lie(network: onnx.ModelProto) -> None:
    outer(network)
    network.graph.value_info.append(helper.make_tensor_value_info("big", TensorProto.FLOAT, [1]))


def expand(network: onnx.ModelProto) -> None:
    size = np.array([100_000, 100_000], np.int64)
    first(network, helper.make_node("Expand", ["a", "size"], ["big"]), a=np.ones(1, np.float32), size=size)


def without_batch(network: onnx.ModelProto) -> None:
    network.graph.output[0].type.tensor_type.shape.dim.pop()


def of_integers(network: onnx.ModelProto) -> None:
    network.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64


def two_inputs(network: onnx.ModelProto) -> None:
    network.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1]))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (weights_elsewhere, f"has weights in another file, 'w'{ELSEWHERE}"),
        (constant_elsewhere, f"has weights in another file, 'c'{ELSEWHERE}"),
        (custom, f"has the operator 'Shell\\x1b' of 'ai.evil'{ELSEWHERE}"),
        (loop, f"has the operator 'Loop' of 'ai.onnx'{ELSEWHERE}"),
        (graph_inside, f"has a graph inside {{first}}{ELSEWHERE}"),
        (function, f"has functions of its own{ELSEWHERE}"),
        (outer, "computes 10000"),
        (outer_with_a_lie, "computes 10000"),
        (expand, "computes 10000"),
        (without_batch, "gives (any, any) where its image size and characters need (any, any, 8)."),
        (of_integers, "takes or gives something else than float32."),
        (two_inputs, "has 2 inputs and 1 outputs; a recogniser has one of each."),
    ],
)
def test_a_network_of_anything_else_is_refused(
    refusal: Callable[[Callable[[Any], object]], str],
    network: onnx.ModelProto,
    change: Callable[[Any], object],
    said: str,
) -> None:
    assert refusal(change).startswith(said.replace("{first}", network.graph.node[0].op_type))


def test_sizes_that_show_only_when_it_runs_take_no_more_than_half_of_the_memory(
    refusal: Callable[[Callable[[Any], object]], str],
) -> None:
    def computed(network: onnx.ModelProto) -> None:
        nodes = helper.make_node("Pow", ["k", "two"], ["size"]), helper.make_node("Expand", ["a", "size"], ["big"])
        first(network, *nodes, a=np.ones(1, np.float32), k=np.array([10**6]), two=np.array([2]))

    said = refusal(computed)
    assert said.startswith("The model cannot read an image of its own size: ")
    assert "Available memory of" in said and "is smaller than requested bytes of 4000000000000" in said


def describe(change: Callable[[Any], object]) -> Callable[[Any], object]:
    def changed(network: onnx.ModelProto) -> None:
        described = json.loads(network.metadata_props[0].value)
        change(described)
        network.metadata_props[0].value = json.dumps(described)

    return changed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            describe(lambda d: d["image"].update(height=10**9, width=10**9)),
            "image.height must be a whole number from 1",
        ),
        (
            describe(lambda d: d["image"].update(height=17)),
            "takes (any, 16, 48, 1) where its image size and characters",
        ),
        (describe(lambda d: d.update(characters="ab")), "gives (any, any, 8) where its image size and characters need"),
        (describe(lambda d: d.pop("decoding")), "has no 'decoding' beside it; it was not trained by captcha_exp."),
        (lambda n: n.metadata_props[0].__setattr__("value", "[" * 10**5), "what it says of itself is no JSON that can"),
        (
            lambda n: n.metadata_props[0].__setattr__("value", " " * 2**21),
            "has more metadata than captcha_exp writes.",
        ),
        (lambda n: n.metadata_props[0].__setattr__("key", "other"), "does not say what its classes are; it was not"),
    ],
)
def test_what_it_says_of_itself_is_typed_and_bounded(
    refusal: Callable[[Callable[[Any], object]], str], change: Callable[[Any], object], said: str
) -> None:
    assert refusal(change).startswith(said)


def test_a_file_that_is_too_large_or_no_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(2**29 + 1)  # a hole, which takes no room
    with pytest.raises(InputError, match=r"large\.onnx is larger than 524288 KiB, which captcha_exp does not write\.$"):
        load_predictor(str(path), "")
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(InputError, match=r"pipe\.onnx does not exist\.$"):
        load_predictor(str(tmp_path / "pipe.onnx"), "")


def test_what_was_checked_is_what_is_opened(servable: Path, tmp_path: Path) -> None:
    """Nor is anything opened that the check could not see, such as fields of a later version."""
    path = tmp_path / "model.onnx"
    path.write_bytes((servable / ONNX_FILE).read_bytes() + b"\xfa\x7f\x04evil")  # field 2047
    checked, _ = read_onnx(path, "model=x")
    assert b"evil" not in checked
    assert onnx.load_from_string(checked).graph == onnx.load(servable / ONNX_FILE).graph


def test_of_a_servable_folder_the_network_alone_is_read(servable: Path, tmp_path: Path, files: list[bytes]) -> None:
    """Its code is for MLflow's own server; whoever shares a registry can change it."""
    import shutil

    folder = Path(shutil.copytree(servable, tmp_path / "model"))
    ran = tmp_path / "ran"
    for code in (folder / "servable_model.py", folder / "code" / "captcha_exp" / "__init__.py"):
        code.write_text(f"open({str(ran)!r}, 'w')")
    (folder / "python_model.pkl").write_bytes(b"cos\nmkdir\n(V" + os.fsencode(ran) + b"\ntR.")
    (folder / "MLmodel").write_text(f"!!python/object/apply:os.mkdir ['{ran}']")
    readings = load_predictor(str(folder), "").read(files[:2])
    assert all(isinstance(reading, Reading) for reading in readings)
    assert ONNX_KEY == "captcha_exp" and not ran.exists()
