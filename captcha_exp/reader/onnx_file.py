"""Checks an untrusted ONNX file before ONNX Runtime opens it."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from captcha_exp.errors import InputError, first_line
from captcha_exp.reader.metadata import MAX_ELEMENTS, MAX_NETWORK_BYTES, check_metadata, check_shapes
from captcha_exp.reader.untrusted import parse_json, read_file, shown

if TYPE_CHECKING:
    import onnx

# The key of the metadata in an ONNX file that reading images needs.
ONNX_KEY = "captcha_exp"
PARTS = ("characters", "image", "decoding", "model_id")
# The operators that `model.onnx_export` writes for the shipped networks:
EXPORTED = {
    *("Add", "Cast", "Concat", "Conv", "CumSum", "Elu", "Expand", "Gather", "GlobalAveragePool", "LSTM", "Less"),
    *("MatMul", "Max", "MaxPool", "Mul", "Neg", "Not", "Pow", "Reciprocal", "ReduceProd", "Relu", "Reshape", "Shape"),
    *("Sigmoid", "Slice", "Softmax", "Sqrt", "Squeeze", "Sub", "Tanh", "Transpose", "Unsqueeze"),
}
# Further operators, from layers that a `cnn.builder` may use. They only compute; none of them loops or holds a graph.
FOR_BUILDERS = {
    *("Abs", "AveragePool", "BatchNormalization", "Clip", "ConvTranspose", "Div", "Erf", "Exp", "Flatten", "Gemm"),
    *("GlobalMaxPool", "Greater", "Identity", "InstanceNormalization", "LeakyRelu", "Min", "PRelu", "Pad"),
    *("ReduceMax", "ReduceMean", "ReduceMin", "ReduceSum", "Resize", "Split", "Sum", "Where"),
}
_DOMAINS = ("", "ai.onnx")
_MAX_NODES = 20_000
_MAX_METADATA = 2**20


def read_onnx(path: Path, where: str) -> tuple[bytes, dict[str, Any]]:
    """Check a file that `model.onnx_export` wrote.

    Args:
        path: the file; it is read once.
        where: the user's name for the model, for messages.

    Returns:
        The checked bytes, to open instead of the file; and the model's metadata: `characters`, `image`, `decoding`,
        `model_id`.

    Raises:
        InputError: the file is damaged, too large, names other files, or has anything but standard operators.
    """
    import onnx

    if not path.is_file():
        raise InputError(f"{where} does not exist.")
    data = read_file(path, MAX_NETWORK_BYTES, where)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except Exception as error:  # protobuf's exception class is not public
        raise InputError(f"{where} is no ONNX file that can be opened: {first_line(error)}") from error
    # Drop fields that this reader does not know, because another reader might use them. Shapes are inferred later.
    model.DiscardUnknownFields()
    del model.graph.value_info[:]
    _check_graph(model, where)
    described = _described(model, where)
    _check_shapes(model, described, where)
    return model.SerializeToString(), described


def _check_graph(model: "onnx.ModelProto", where: str) -> None:
    graph = model.graph
    if model.functions or model.training_info:
        raise _refused(where, "functions of its own")
    if len(graph.node) > _MAX_NODES:
        raise _refused(where, f"more than {_MAX_NODES} operators")
    for node in graph.node:
        if node.domain not in _DOMAINS or node.op_type not in EXPORTED | FOR_BUILDERS:
            raise _refused(where, f"the operator {shown(node.op_type)} of {shown(node.domain or 'ai.onnx')}")
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise _refused(where, f"a graph inside {node.op_type}")
    if graph.sparse_initializer:
        raise _refused(where, "sparse weights")
    for tensor in _tensors(graph):
        if tensor.external_data or tensor.data_location:
            raise _refused(where, f"weights in another file, {shown(tensor.name)}")
        if math.prod(tensor.dims) > MAX_ELEMENTS or min(tensor.dims, default=0) < 0:
            raise _refused(where, f"weights of the shape {shown(list(tensor.dims))}")


def _tensors(graph: "onnx.GraphProto") -> Iterator["onnx.TensorProto"]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _described(model: "onnx.ModelProto", where: str) -> dict[str, Any]:
    told = {entry.key: entry.value for entry in model.metadata_props}
    if ONNX_KEY not in told:
        raise InputError(f"{where} does not say what its classes are; it was not written by captcha_exp.")
    if len(told[ONNX_KEY]) > _MAX_METADATA:
        raise InputError(f"{where} has more metadata than captcha_exp writes.")
    return check_metadata(parse_json(told[ONNX_KEY], f"{where}: what it says of itself"), where, PARTS)


def _check_shapes(model: "onnx.ModelProto", described: dict[str, Any], where: str) -> None:
    """Check input and output against the description, and the numbers computed for one image against `MAX_ELEMENTS`."""
    import onnx

    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in weights]
    if len(inputs) != 1 or len(model.graph.output) != 1:
        raise InputError(
            f"{where} has {len(inputs)} inputs and {len(model.graph.output)} outputs; a recogniser has one of each."
        )
    if any(value.type.tensor_type.elem_type != onnx.TensorProto.FLOAT for value in (*inputs, *model.graph.output)):
        raise InputError(f"{where} takes or gives something else than float32.")
    check_shapes(_shape(inputs[0]), _shape(model.graph.output[0]), described, where)
    try:
        inferred = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    except Exception as error:
        raise InputError(f"{where} is no ONNX file that can be opened: {first_line(error)}") from error
    numbers = sum(math.prod(size or 1 for size in _shape(value)) for value in inferred.value_info)
    if numbers > MAX_ELEMENTS:
        raise InputError(f"{where} computes {numbers} numbers for one image; at most {MAX_ELEMENTS} are accepted.")


def _shape(value: "onnx.ValueInfoProto") -> list[int | None]:
    dims = value.type.tensor_type.shape.dim
    return [dim.dim_value if dim.HasField("dim_value") else None for dim in dims]


def _refused(where: str, what: str) -> InputError:
    return InputError(
        f"{where} has {what}, which captcha_exp does not write, so it is not opened; name a file that "
        "`captcha_exp.promote` made."
    )
