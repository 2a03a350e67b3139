"""What clients of the endpoint are answered."""

import base64
import json
from collections.abc import Callable
from io import BytesIO

import pytest
import requests
from PIL import Image

from tests.serve.server.conftest import CHARACTERS, Served, bars


def test_a_body_is_one_image(served: Served) -> None:
    for kind in ("PNG", "BMP", "TIFF", "GIF"):
        answer = served.read(bars("abba", kind), headers={"Content-Type": "image/x"})
        assert answer.status_code == 200
        assert answer.json() == {"text": "abba", "confidence": pytest.approx(1, abs=1e-3), "model": "m-bars"}


def test_what_curl_and_urllib_call_a_form_is_an_image_too(served: Served) -> None:
    for kind in ("application/x-www-form-urlencoded", "application/octet-stream", None):
        assert served.read(bars("d"), headers={"Content-Type": kind}).json()["text"] == "d"


JSON = {"Content-Type": "application/json; charset=utf-8"}
ABBA = base64.b64encode(bars("abba")).decode()


@pytest.mark.parametrize(
    "image",
    [
        ABBA,
        f"data:image/png;base64,{ABBA}",
        f" DATA:;charset=utf-8;BASE64,{ABBA}",
        "\r\n".join(ABBA[at : at + 76] for at in range(0, len(ABBA), 76)),
        ABBA.rstrip("=").replace("+", "-").replace("/", "_"),
    ],
)
def test_json_has_one_image_in_base64(served: Served, image: str) -> None:
    answer = served.read(json.dumps({"image": image}).encode(), headers=JSON)
    assert answer.status_code == 200
    assert answer.json() == {"text": "abba", "confidence": pytest.approx(1, abs=1e-3), "model": "m-bars"}


def test_json_has_parameters_beside_the_image_and_needs_no_name(served: Served) -> None:
    asked = {"image": ABBA, "max_length": 2, "alternatives": 1, "pattern": None}
    for headers in (JSON, {"Content-Type": "application/x-www-form-urlencoded"}):
        answer = served.read(json.dumps(asked).encode(), headers=headers).json()
        assert len(answer["text"]) <= 2
        assert len(answer["alternatives"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b'{"image": ', 400, "the body cannot be read as JSON"),
        (b"\xff\x00", 400, "the body cannot be read as JSON"),
        (b"[" * 100_000, 400, "the body cannot be read as JSON"),
        (b'{"image": ' + b"9" * 9999 + b"}", 400, "the body cannot be read as JSON"),
        (b"[]", 400, 'send {"image": "..."} with one image in base64'),
        (b'{"images": ["eA=="]}', 400, 'send {"image": "..."}'),
        (b'{"image": "eA==", "image": "eA=="}', 400, 'send {"image": "..."}'),
        (b'{"image": ["eA==", "eA=="]}', 400, "or several as multipart/form-data"),
        (b'{"image": "https://h.example/a.png"}', 400, "image is no base64, nor a data: URI; addresses are not"),
        (b'{"image": "data:image/svg+xml,%3Csvg/%3E"}', 400, "the data: URI of image must be base64"),
        ('{"image": "é"}'.encode(), 400, "image is no base64"),
        (b'{"image": "eA==", "patern": "a"}', 400, "'patern' is no parameter; there are pattern"),
        (b'{"image": "eA==", "pattern": {"a": 1}}', 400, "pattern: Input should be a valid string"),
        (b'{"image": "eA==", "pattern": "\\ud800"}', 400, "half a character"),
        (b'{"image": "eA=="' + b', "a": 1' * 50_000 + b"}", 400, "the JSON has more than 20 parameters"),
        (b'{"image": ""}', 422, "the file is empty"),
        (b'{"image": "eA=="}', 422, "not an image"),
        (b'{"image": "' + b"A" * 9 * 2**20 + b'"}', 413, "an upload may have"),
    ],
    ids=[str(number) for number in range(18)],
)
def test_json_that_cannot_be_used_is_refused_in_a_line(served: Served, body: bytes, status: int, message: str) -> None:
    answer = served.read(body, headers=JSON)
    assert (answer.status_code, set(answer.json())) == (status, {"error"} | ({"model"} if status == 422 else set()))
    assert message in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert served.read(bars("d")).json()["text"] == "d"


def test_an_image_in_json_has_the_limit_of_pixels(served: Served) -> None:
    data = BytesIO()
    Image.new("1", (5000, 5000)).save(data, "PNG")
    answer = served.read(json.dumps({"image": base64.b64encode(data.getvalue()).decode()}).encode(), headers=JSON)
    assert answer.status_code == 422
    assert "5000x5000 is more than" in answer.json()["error"]


def test_a_form_has_several_files_and_a_bad_one_is_named(served: Served) -> None:
    files = [("image", ("1.png", bars("ab"))), ("image", ("2.png", b"no image")), ("other", ("3.png", bars("cd")))]
    answer = served.read(files=files)
    assert answer.status_code == 200
    first, second, third = answer.json()["results"]
    assert (first["file"], first["text"]) == ("1.png", "ab")
    assert second["file"] == "2.png"
    assert second["error"].startswith("not an image")
    assert (third["file"], third["text"]) == ("3.png", "cd")
    assert answer.json()["model"] == "m-bars"


def test_alternatives_come_on_request_the_likeliest_first(served: Served) -> None:
    answer = served.read(bars("abc"), params={"alternatives": 3}).json()
    assert answer["text"] == "abc"
    shares = [answer["confidence"], *(one["confidence"] for one in answer["alternatives"])]
    assert len(shares) == 4
    assert shares == sorted(shares, reverse=True)
    assert "abc" not in [one["text"] for one in answer["alternatives"]]


@pytest.mark.parametrize(
    ("known", "holds"),
    [
        ({"pattern": "[ab]+"}, lambda text: set(text) <= set("ab")),
        ({"alphabet": "ab"}, lambda text: set(text) <= set("ab")),
        ({"max_length": 2}, lambda text: len(text) <= 2),
        ({"min_length": 4}, lambda text: len(text) >= 4),
    ],
)
def test_what_is_known_of_the_text_holds_as_a_query_and_as_a_field(
    served: Served, known: dict[str, object], holds: Callable[[str], bool]
) -> None:
    image = bars("abc")
    asked = served.read(image, params=known).json()
    field = served.read(known, files={"image": ("x.png", image)}).json()["results"][0]
    assert asked["text"] == field["text"]
    assert holds(asked["text"])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"patern": "a"},
            "'patern' is no parameter; there are pattern, alphabet, min_length, max_length, alternatives",
        ),
        ({"alternatives": "many"}, "alternatives: Input should be a valid integer"),
        ({"alternatives": "21"}, "alternatives: Input should be less than or equal to 20, not '21'"),
        ({"pattern": "("}, "pattern"),
        ({"pattern": "z+"}, "No text satisfies pattern=z+; the model's characters are abcd"),
        ({"min_length": "3", "max_length": "2"}, "min_length 3 is above max_length 2"),
        ([("pattern", "a"), ("pattern", "b")], "pattern is given more than once"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(served: Served, parameters: object, message: str) -> None:
    answer = served.read(bars("a"), params=parameters)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


def test_what_is_no_image_is_refused(served: Served) -> None:
    for body, message in ((b"", "the file is empty"), (b"hello", "not an image"), (bars("a")[:40], "")):
        answer = served.read(body)
        assert answer.status_code == 422
        assert message in answer.json()["error"]
    answer = served.read(files={"image": ("x.png", b"hello")})
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("no image could be read; not an image")


def test_other_bodies_are_refused(served: Served) -> None:
    answer = served.read(b"<image/>", headers={"Content-Type": "application/xml"})
    assert answer.status_code == 415
    assert "send one image as the body or in application/json, or several as multipart" in answer.json()["error"]
    answer = served.read(b"x", headers={"Content-Type": "multipart/form-data"})
    assert answer.status_code == 400
    boundary = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = served.read(
        b'--b\r\nContent-Disposition: form-data; name="pattern"\r\n\r\na\r\n--b--\r\n', headers=boundary
    )
    assert answer.status_code == 400
    assert answer.json()["error"] == "the form has no file; send each image as a part with a file name"


def test_other_routes_and_methods_are_refused_as_json(served: Served) -> None:
    for method, path, status in (("GET", "/v1/read", 405), ("DELETE", "/healthz", 405), ("POST", "/v2", 404)):
        answer = requests.request(method, served.url + path, timeout=30)
        assert answer.status_code == status
        assert set(answer.json()) == {"error"}


def test_health_tells_the_model(served: Served) -> None:
    health = served.get("/healthz").json()
    assert health["status"] == "ok"
    assert (health["model"], health["model_id"], health["characters"]) == ("m-bars", "m-bars", CHARACTERS)
    assert health["runtime"] == "ONNX Runtime"
    assert health["reload_error"] is None
    assert served.get("/readyz").json() == {"status": "ready"}


def test_metrics_count_requests_images_and_errors(served: Served) -> None:
    def value(line: str) -> float:
        lines = served.get("/metrics").text.splitlines()
        return sum(float(one.rpartition(" ")[2]) for one in lines if one.startswith(line + " "))

    counted = {
        'captcha_exp_requests_total{route="/v1/read",status="200"}': 1,
        'captcha_exp_requests_total{route="/v1/read",status="422"}': 1,
        'captcha_exp_request_seconds_count{route="/v1/read"}': 2,
        'captcha_exp_images_total{outcome="read"}': 1,
        'captcha_exp_images_total{outcome="unreadable"}': 2,
    }
    before = {line: value(line) for line in counted}
    served.read(files=[("i", ("1", bars("a"))), ("i", ("2", b"-"))])
    served.read(b"-")
    assert {line: value(line) - before[line] for line in counted} == counted
    assert value('captcha_exp_model_info{model="m-bars",model_id="m-bars",runtime="ONNX Runtime"}') == 1
    assert served.get("/metrics").headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_the_openapi_description_names_routes_parameters_and_answers(served: Served) -> None:
    described = served.get("/openapi.json").json()
    assert set(described["paths"]) == {"/v1/read", "/healthz", "/readyz", "/metrics"}
    read = described["paths"]["/v1/read"]["post"]
    assert {one["name"] for one in read["parameters"]} >= {"pattern", "alphabet", "min_length", "alternatives"}
    assert {"image/*", "application/json", "multipart/form-data"} <= set(read["requestBody"]["content"])
    assert set(read["responses"]) == {"200", "400", "408", "413", "415", "422", "429", "503"}
    assert served.get("/docs").status_code == 404  # it would load scripts from elsewhere
