"""Image files in, texts out."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from captcha_exp.errors import InputError
from captcha_exp.model.forward_pass import ForwardPass
from captcha_exp.predict.load_predictor import load_predictor
from captcha_exp.promote.servable import build_servable
from captcha_exp.reader.decoding import Constraint, Knowledge, decode
from captcha_exp.reader.image_formats import BadImageError
from captcha_exp.reader.predictor import ONNX_FILE, Predictor
from captcha_exp.tracking import LoadedRecogniser
from captcha_exp.tracking.served_form import read_as_served


@pytest.fixture(scope="module")
def predictor(servable: Path) -> Predictor:
    return Predictor.of_onnx(servable / ONNX_FILE)


def test_both_runtimes_read_what_evaluation_reads(
    predictor: Predictor, recogniser: LoadedRecogniser, images: np.ndarray, files: list[bytes]
) -> None:
    probabilities = ForwardPass(recogniser.model, batch_size=16)(images)
    expected = decode(probabilities, recogniser.characters)
    assert len({prediction.text for prediction in expected}) > 20, "images that all read alike show nothing"
    for runtime in (predictor, Predictor(ForwardPass(recogniser.model), vars(recogniser))):
        readings = runtime.read(files, with_probabilities=True)
        assert [reading.text for reading in readings] == [prediction.text for prediction in expected]
        assert [r.confidence for r in readings] == pytest.approx([p.confidence for p in expected], rel=1e-3)
        np.testing.assert_allclose([reading.probabilities for reading in readings], probabilities, atol=1e-4)
    assert (predictor.characters, predictor.model_id, predictor.version) == (recogniser.characters, "m-1", None)


def test_a_bad_file_is_answered_in_its_place(predictor: Predictor, files: list[bytes]) -> None:
    whole = predictor.read(files)
    mixed = predictor.read([files[0], b"", files[1], files[2][:40], *files[3:]])
    assert isinstance(mixed[1], BadImageError) and str(mixed[1]) == "the file is empty"
    assert isinstance(mixed[3], BadImageError)
    assert [mixed[0], mixed[2], *mixed[4:]] == [whole[0], whole[1], *whole[3:]]
    assert isinstance(predictor.read([b"x"])[0], BadImageError)
    assert predictor.read([]) == []


def test_alternatives_are_the_next_likeliest_texts(predictor: Predictor, files: list[bytes]) -> None:
    for reading in predictor.read(files, Constraint(pattern="[0-3]{2}"), alternatives=15):
        texts = [reading.text, *(text for text, _ in reading.alternatives)]
        confidences = [reading.confidence, *(confidence for _, confidence in reading.alternatives)]
        assert len(set(texts)) == 16, "all sixteen texts of two such digits"
        assert confidences == sorted(confidences, reverse=True)
        assert sum(confidences) == pytest.approx(1.0, rel=1e-5)
    for reading, plain in zip(predictor.read(files, alternatives=2), predictor.read(files), strict=True):
        assert (reading.text, reading.confidence) == (plain.text, plain.confidence)
        assert reading.text not in [text for text, _ in reading.alternatives]
        assert len(reading.alternatives) == 2


def test_what_the_model_knows_holds_unless_a_constraint_replaces_it(
    recogniser: LoadedRecogniser, predictor: Predictor, files: list[bytes], tmp_path: Path
) -> None:
    free = predictor.read(files)
    length = Counter(len(one.text) for one in free).most_common(1)[0][0]
    seen = "".join(sorted({one.text[0] for one in free if len(one.text) == length}))[:3]
    alphabets = (seen, *[None] * (length - 1))
    known = replace(recogniser, decoding={"kind": "greedy", "knowledge": {"alphabets": list(alphabets)}})
    build_servable(known, tmp_path / "model")
    loaded = load_predictor(str(tmp_path / "model"), "")
    told = loaded.read(files, alternatives=2)
    searched = loaded.read(files, Constraint(pattern=f"[{seen}].{{{length - 1}}}"), alternatives=2)
    fits = [Knowledge(alphabets).allows(one.text) for one in free]
    assert any(fits) and not all(fits)
    for one, before, other, fit in zip(told, free, searched, fits, strict=True):
        assert one.text == (before.text if fit else other.text)
        assert all(Knowledge(alphabets).allows(text) for text, _ in one.alternatives)
        shares = {other.text: other.confidence, **dict(other.alternatives)}
        assert one.confidence == pytest.approx(shares.get(one.text, one.confidence), rel=1e-5), "conditional as well"
    keras = Predictor(ForwardPass(recogniser.model), vars(known)).read(files)
    assert [one.text for one in keras] == [one.text for one in told]
    for constraint in (Constraint(pattern=".{5}"), Constraint(min_length=5, max_length=5), Constraint(alphabet="3a")):
        assert loaded.read(files, constraint) == predictor.read(files, constraint), "the user's own word replaces it"
    assert read_as_served(tmp_path / "model", files) == [one.text for one in told]


def test_a_constraint_that_cannot_hold_is_refused(predictor: Predictor, files: list[bytes]) -> None:
    with pytest.raises(InputError, match=r"No text satisfies pattern=\[d-z\]; the model's characters are 0123abc"):
        predictor.read(files, Constraint(pattern="[d-z]"))


def test_threads_share_a_predictor(predictor: Predictor, files: list[bytes]) -> None:
    constraints = [None, *(Constraint(pattern=f"[0-3]{{{n}}}.*") for n in range(1, 12))]
    expected = [predictor.read(files[:8], constraint) for constraint in constraints]
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda constraint: predictor.read(files[:8], constraint), constraints * 4))
    assert found == expected * 4


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.onnx does not exist"):
        load_predictor(str(tmp_path / "gone.onnx"), "")
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(InputError, match=r"bad\.onnx is no ONNX file that can be opened"):
        load_predictor(str(tmp_path / "bad.onnx"), "")


def test_an_onnx_file_of_other_origin_is_refused(servable: Path, tmp_path: Path) -> None:
    import onnx

    network = onnx.load(servable / ONNX_FILE)
    del network.metadata_props[:]
    onnx.save(network, tmp_path / "other.onnx")
    with pytest.raises(InputError, match=r"other\.onnx does not say what its classes are"):
        load_predictor(str(tmp_path / "other.onnx"), "")
