"""Models that somebody else made: nothing of them is run, and what is wrong is one line."""

import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml

from captcha_exp.errors import InputError
from captcha_exp.tracking import load_recogniser

REFUSED = "; loading that could run code, so only data/model.keras of a model that captcha_exp trained is read."


def refusal(folder: Path) -> str:
    """What is said instead of loading a folder, without the model's address."""
    with pytest.raises(InputError) as refused:
        load_recogniser(str(folder), "")
    message = str(refused.value)
    assert "\n" not in message and message.startswith(f"model={folder}")
    return message.removeprefix(f"model={folder}").lstrip(": ")


def describe(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change what MLmodel says."""
    content = yaml.safe_load((folder / "MLmodel").read_text())
    change(content)
    (folder / "MLmodel").write_text(yaml.safe_dump(content))


def test_what_this_project_wrote_is_read(honest_folder: Path, small_model: Any) -> None:
    loaded = load_recogniser(str(honest_folder), "")
    images = np.random.default_rng(0).random((3, 4, 6, 1), np.float32)
    np.testing.assert_array_equal(loaded.model(images), small_model(images))
    np.testing.assert_array_equal(loaded.training_images, np.arange(3, dtype=np.uint64))
    np.testing.assert_array_equal(loaded.validation_images, np.arange(3, 5, dtype=np.uint64))
    assert (loaded.run_id, loaded.model_id, loaded.config) == ("0123", "m-0123", {"training": {"epochs": 3}})


def saved_model_that_writes(folder: Path, written: Path) -> None:
    """A SavedModel whose initialiser writes a file."""
    import tensorflow as tf

    class Writer(tf.saved_model.experimental.TrackableResource):
        def _create_resource(self) -> Any:
            return tf.raw_ops.MutableHashTableV2(key_dtype=tf.int64, value_dtype=tf.int64)

        def _initialize(self) -> None:
            tf.io.write_file(str(written), "written")

    module = tf.Module()
    module.writer = Writer()
    module.serve = tf.function(
        lambda images: (
            images + 0 * tf.cast(tf.raw_ops.LookupTableSizeV2(table_handle=module.writer.resource_handle), tf.float32)
        ),
        input_signature=[tf.TensorSpec((None, 4, 6, 1))],
    )
    tf.saved_model.save(module, str(folder))


def test_a_saved_model_does_not_run_its_initialiser(folder: Path, tmp_path: Path) -> None:
    """Its graph may read and write files; Keras' safe mode has no say in it."""
    import mlflow.keras

    written = tmp_path / "written"
    saved_model_that_writes(folder / "data" / "model", written)
    describe(folder, lambda content: content["flavors"]["keras"].update(save_exported_model=True))
    written.unlink(missing_ok=True)
    mlflow.keras.load_model(str(folder))
    assert written.read_text() == "written", "the attack is a real one"
    written.unlink()
    assert refusal(folder) == f"says keras.save_exported_model: True{REFUSED}"
    describe(folder, lambda content: content["flavors"]["keras"].update(save_exported_model=False))
    assert refusal(folder) == f"holds data/'model'{REFUSED}"
    assert not written.exists()


class Payload:
    """Unpickled, makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    "place", ["data/global_custom_objects.cloudpickle", "data/custom_objects.cloudpickle", "python_model.pkl"]
)
def test_a_pickle_is_not_opened(folder: Path, tmp_path: Path, place: str) -> None:
    ran = tmp_path / "ran"
    (folder / place).write_bytes(pickle.dumps(Payload(ran)))
    shown = f"data/'{place[5:]}'" if place.startswith("data/") else f"'{place}'"
    assert refusal(folder) == f"holds {shown}{REFUSED}"
    (folder / place).unlink()
    (folder / "training_images.npy").write_bytes(pickle.dumps(Payload(ran)))
    assert refusal(folder).startswith("training_images.npy cannot be read: ")
    array = np.empty(1, object)
    array[0] = Payload(ran)
    np.save(folder / "training_images.npy", array, allow_pickle=True)
    assert refusal(folder) == (
        "training_images.npy cannot be read: Array can't be memory-mapped: Python objects in dtype."
    )
    assert not ran.exists()


@pytest.mark.parametrize("name", ["training_images.npy", "validation_images.npy"])
def test_digests_of_images_that_are_none_are_refused(folder: Path, name: str) -> None:
    path = folder / name
    for wrong in (np.zeros(3, np.float32), np.zeros((3, 3), np.uint64)):
        np.save(path, wrong)
        assert refusal(folder) == f"{name} must hold one row of uint64."
    np.savez(path.with_suffix(".npz"), wrong)
    path.with_suffix(".npz").rename(path)
    assert refusal(folder) == f"{name} must hold one row of uint64."
    np.save(path, np.zeros(3, np.uint64))
    path.write_bytes(path.read_bytes().replace(b"(3,), }          ", b"(10000000000,), }"))
    assert refusal(folder) == f"{name} cannot be read: mmap length is greater than file size"


def test_code_is_not_imported(folder: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (folder / "code").mkdir()
    (folder / "code" / "keras.py").write_text(f"open({str(ran)!r}, 'w')")
    assert refusal(folder) == f"holds 'code'{REFUSED}"
    describe(folder, lambda content: content["flavors"]["python_function"].update(code="code"))
    assert refusal(folder) == f"says python_function.code: 'code'{REFUSED}"
    assert not ran.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: f.update(tensorflow={}), "is of the flavors 'keras, python_function, tensorflow', not keras"),
        (lambda f: f.pop("keras"), "is of the flavors 'python_function', not keras"),
        (lambda f: f["keras"].update(data="/etc"), "says keras.data: '/etc'"),
        (lambda f: f["keras"].update(save_format="tf"), "says keras.save_format: 'tf'"),
        (lambda f: f["keras"].update(custom_objects="x"), "says keras.custom_objects: 'x'"),
        (lambda f: f["keras"].update(keras_module="evil"), "says keras.keras_module: 'evil'"),
        (lambda f: f["python_function"].update(loader_module="os"), "says python_function.loader_module: 'os'"),
        (lambda f: f["python_function"].update(python_model="m.bin"), "says python_function.python_model: 'm.bin'"),
    ],
)
def test_other_flavors_and_flags_are_refused(folder: Path, change: Callable[[Any], object], said: str) -> None:
    describe(folder, lambda content: change(content["flavors"]))
    assert refusal(folder) == said + REFUSED


def test_another_module_than_keras_is_not_imported(folder: Path) -> None:
    (folder / "data" / "keras_module.txt").write_text("evil")
    assert refusal(folder) == f"names another module in data/keras_module.txt than keras{REFUSED}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("!!python/object/apply:os.mkdir ['{ran}']", "cannot be read: could not determine a constructor for the tag"),
        ("a: [", "cannot be read: while parsing a flow"),
        ("[" * 5_000, "cannot be read: "),
        ("just text", "cannot be read: its file MLmodel names no flavors."),
        ("x" * 2**19, "MLmodel is larger than 256 KiB, which captcha_exp does not write."),
        ("flavors: {{a: {}}}".format("9" * 5_000), "cannot be read: Exceeds the limit"),
        (
            "a: &a [x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
            + "flavors: {x: *i}",
            "flavors holds more values, or deeper ones, than captcha_exp writes.",
        ),
    ],
)
def test_a_hostile_mlmodel_is_one_line(folder: Path, tmp_path: Path, text: str, said: str) -> None:
    (folder / "MLmodel").write_text(text.replace("{ran}", str(tmp_path / "ran")))
    assert refusal(folder).startswith(said)
    assert not (tmp_path / "ran").exists()


def test_a_pipe_is_not_waited_for(folder: Path) -> None:
    (folder / "data" / "model.keras").unlink()
    os.mkfifo(folder / "data" / "model.keras")
    assert refusal(folder) == f"has no data/model.keras{REFUSED}"


# Of the .keras file.


def rewrite(folder: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """Change the members of the archive; names may be given with `|n` behind them to write one twice."""
    path = folder / "data" / "model.keras"
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.split("|")[0], data)


def rebuild(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the architecture."""

    def changed(members: dict[str, bytes]) -> None:
        architecture = json.loads(members["config.json"])
        change(architecture)
        members["config.json"] = json.dumps(architecture).encode()

    rewrite(folder, changed)


def layer(architecture: dict[str, Any], index: int = -1) -> dict[str, Any]:
    return architecture["config"]["layers"][index]


STOCK = "which is none of the stock Keras layers. Others could run code, so only these are loaded"


def a_class(module: object, name: object, **more: object) -> dict[str, object]:
    return {"module": module, "class_name": name, "config": {}, "registered_name": None, **more}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: layer(a).update(a_class("keras.layers", "Lambda")), f"holds 'Lambda' of 'keras.layers', {STOCK}"),
        (
            lambda a: layer(a).update(a_class("keras.layers", "TFSMLayer")),
            f"holds 'TFSMLayer' of 'keras.layers', {STOCK}",
        ),
        (
            lambda a: layer(a).update(a_class("keras.layers", "TorchModuleWrapper")),
            f"holds 'TorchModuleWrapper' of 'keras.layers', {STOCK}",
        ),
        (lambda a: layer(a).update(module="os"), f"holds 'Dense' of 'os', {STOCK}"),
        (lambda a: layer(a).update(registered_name="Mine>Dense"), f"holds 'Mine>Dense' of 'keras.layers', {STOCK}"),
        (lambda a: layer(a).pop("module"), f"holds 'Dense' of None, {STOCK}"),
        (
            lambda a: layer(a)["config"].update(activation=a_class("keras.utils", "function", config="get_file")),
            f"holds 'function' of 'keras.utils', {STOCK}",
        ),
        (
            lambda a: layer(a)["config"].update(
                kernel_initializer={"class_name": "__lambda__", "config": {"value": "x"}}
            ),
            f"holds '__lambda__' of None, {STOCK}",
        ),
        (
            lambda a: layer(a)["inbound_nodes"][0]["kwargs"].update(training=a_class("builtins", "eval")),
            f"holds 'eval' of 'builtins', {STOCK}",
        ),
        (lambda a: a.update(build_config=a_class("posix", "system")), f"holds 'system' of 'posix', {STOCK}"),
        (
            lambda a: a.update(a_class("keras", "Sequential")),
            "is a 'Sequential', not the Functional model that captcha_exp",
        ),
        (lambda a: layer(a).update(class_name=["Dense"]), f"holds ['Dense'] of 'keras.layers', {STOCK}"),
        (
            lambda a: a["config"]["layers"].append({**a, "config": {}}),
            "has a model as a layer, which captcha_exp does not build.",
        ),
        (lambda a: layer(a)["config"].update(dtype="int8_from_float32"), "computes in 'int8_from_float32', which"),
        (lambda a: layer(a)["config"].update(unroll=True), "has an unrolled layer, which captcha_exp does not build."),
        (lambda a: layer(a)["config"].update(units=10**9), "needs 19073 MiB of weights; at most 512 are loaded."),
        (lambda a: layer(a)["config"].update(units=-1), "its layers do not fit together: "),
        (lambda a: layer(a)["config"].update(units="many"), "its layers do not fit together: "),
        (lambda a: layer(a)["config"].update(units=4), "its weights do not fit its layers: "),
        (lambda a: a["config"].update(layers=[layer(a)] * 3_000), "has 3000 layers; at most 2000 are rebuilt."),
        (lambda a: a["config"].update(layers=None), "has no list of layers."),
    ],
)
def test_what_is_no_stock_layer_or_does_not_fit_is_refused(
    folder: Path, change: Callable[[Any], object], said: str
) -> None:
    rebuild(folder, change)
    assert refusal(folder).startswith(said)


def test_what_the_loss_would_be_is_not_rebuilt(folder: Path, small_model: Any) -> None:
    rebuild(folder, lambda architecture: architecture.update(compile_config={"loss": "whatever", "optimizer": 3}))
    assert load_recogniser(str(folder), "").model.output_shape == small_model.output_shape


def test_a_model_of_another_size_than_it_says_is_refused(folder: Path) -> None:
    describe(folder, lambda content: content["metadata"].update(characters="abc"))
    assert refusal(folder) == "gives (any, 6, 3) where its image size and characters need (any, any, 4)."
    describe(folder, lambda content: content["metadata"]["image"].update(width=7))
    assert refusal(folder) == "takes (any, 4, 6, 1) where its image size and characters need (any, 4, 7, 1)."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda m: m.update({"../outside": b"x"}),
            "its .keras file holds '../outside'; only metadata.json, config.json",
        ),
        (lambda m: m.update({"/etc/x": b"x"}), "its .keras file holds '/etc/x'; only"),
        (lambda m: m.update({"assets/vocabulary.txt": b"x"}), "its .keras file holds 'assets/vocabulary.txt'; only"),
        (
            lambda m: m.update({"config.json|2": b"{}"}),
            "its .keras file must hold config.json and model.weights.h5 once",
        ),
        (lambda m: m.pop("config.json"), "its .keras file must hold config.json and model.weights.h5 once, not"),
        (lambda m: m.update({"config.json": b"[" * 100_000}), "config.json is no JSON that can be read: "),
        (
            lambda m: m.update({"config.json": b"9" * 9_000}),
            "config.json is no JSON that can be read: Exceeds the limit",
        ),
        (lambda m: m.update({"config.json": b"[]"}), "is a [], not the Functional model"),
        # It has 100 KB on disk.
        (
            lambda m: m.update({"config.json": bytes(2**26)}),
            "config.json unpacks to 67108864 bytes, more than is read.",
        ),
        (lambda m: m.update({"model.weights.h5": b"no HDF5"}), "its weights cannot be read: "),
    ],
)
def test_a_hostile_archive_is_one_line(folder: Path, change: Callable[[Any], object], said: str) -> None:
    with pytest.warns(UserWarning, match="Duplicate") if "once, not ['m" in said else _quiet():
        rewrite(folder, change)
    assert refusal(folder).startswith(said)


def _quiet() -> Any:
    import warnings

    return warnings.catch_warnings(action="ignore")


def test_a_bomb_that_lies_of_its_size_is_one_line(folder: Path) -> None:
    """The directory of the archive says 10 bytes where 64 MiB would come out."""
    rewrite(folder, lambda members: members.update({"config.json": bytes(2**26)}))
    path = folder / "data" / "model.keras"
    path.write_bytes(path.read_bytes().replace((2**26).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    assert refusal(folder).startswith("its .keras file is damaged: ")


def test_bytes_that_are_no_archive_are_one_line(folder: Path) -> None:
    whole = (folder / "data" / "model.keras").read_bytes()
    for data in (b"", b"no archive", whole[:-30], whole[: len(whole) // 2]):
        (folder / "data" / "model.keras").write_bytes(data)
        assert refusal(folder).startswith("its .keras file is damaged: ")


# Of the weights.


def spoil_weights(folder: Path, change: Callable[[h5py.Group], object]) -> None:
    """Change the weights of the Dense layer."""
    path = folder.parent / "model.weights.h5"

    def changed(members: dict[str, bytes]) -> None:
        path.write_bytes(members["model.weights.h5"])
        with h5py.File(path, "a") as file:
            weights = file["layers/dense/vars"]
            del weights["0"]
            change(weights)
        members["model.weights.h5"] = path.read_bytes()

    rewrite(folder, changed)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """Numbers in another file of the machine, of the very shape that the layer has."""
    path = tmp_path / "secret.h5"
    with h5py.File(path, "w") as file:
        file["0"] = np.full((4, 3), 7, np.float32)
    (tmp_path / "secret.bin").write_bytes(np.full((4, 3), 7, np.float32).tobytes())
    return path


def external(weights: h5py.Group, secret: Path) -> None:
    weights["0"] = h5py.ExternalLink(str(secret), "/0")


def stored_elsewhere(weights: h5py.Group, secret: Path) -> None:
    weights.create_dataset("0", (4, 3), np.float32, external=[(str(secret.with_suffix(".bin")), 0, 48)])


def virtual(weights: h5py.Group, secret: Path) -> None:
    layout = h5py.VirtualLayout((4, 3), np.float32)
    layout[:] = h5py.VirtualSource(str(secret), "0", (4, 3))
    weights.create_virtual_dataset("0", layout)


def soft(weights: h5py.Group, _: Path) -> None:
    weights["0"] = h5py.SoftLink("/layers/dense/vars/1")


def huge(weights: h5py.Group, _: Path) -> None:
    weights.create_dataset("0", (2**40,), np.float32, chunks=(2**20,))


def packed(weights: h5py.Group, _: Path) -> None:
    weights.create_dataset("0", data=np.zeros((4, 3), np.float32), compression="gzip")


def texts(weights: h5py.Group, _: Path) -> None:
    weights["0"] = ["a", "b"]


def circle(weights: h5py.Group, _: Path) -> None:
    weights["0"] = weights


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            external,
            "its weights' 'layers/dense/vars/0' is a link, not numbers; only numbers in the file itself are read.",
        ),
        (soft, "its weights' 'layers/dense/vars/0' is a link, not numbers; only numbers in the file itself are read."),
        (stored_elsewhere, "its weights' 'layers/dense/vars/0' lies in another file; only numbers in the file itself"),
        (virtual, "its weights' 'layers/dense/vars/0' lies in another file; only numbers in the file itself"),
        (huge, "its weights' 'layers/dense/vars/0' is not stored as Keras stores it; save the model again with Keras."),
        (
            packed,
            "its weights' 'layers/dense/vars/0' is not stored as Keras stores it; save the model again with Keras.",
        ),
        (texts, "its weights' 'layers/dense/vars/0' holds no numbers; only numbers are read."),
        (circle, "has more parts, or deeper ones, in its weights than captcha_exp writes."),
    ],
)
def test_weights_that_are_not_in_the_file_are_refused(
    folder: Path, secret: Path, change: Callable[[h5py.Group, Path], object], said: str
) -> None:
    spoil_weights(folder, lambda weights: change(weights, secret))
    assert refusal(folder).startswith(said)


def test_what_was_checked_is_what_is_used(folder: Path, small_model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may write the folder can change the file at any moment."""

    class Changed(zipfile.ZipFile):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            (folder / "data" / "model.keras").write_bytes(b"changed")

    monkeypatch.setattr(zipfile, "ZipFile", Changed)
    assert load_recogniser(str(folder), "").model.output_shape == small_model.output_shape
    assert (folder / "data" / "model.keras").read_bytes() == b"changed"
