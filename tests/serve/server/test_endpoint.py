"""What clients of the endpoint are answered."""

from collections.abc import Callable

import pytest
import requests

from tests.serve.server.conftest import CHARACTERS, Served, bars


def test_a_body_is_one_image(served: Served) -> None:
    for kind in ("PNG", "BMP", "TIFF", "GIF"):
        answer = served.read(bars("abba", kind), headers={"Content-Type": "image/x"})
        assert answer.status_code == 200
        assert answer.json() == {"text": "abba", "confidence": pytest.approx(1, abs=1e-3), "model": "m-bars"}


def test_what_curl_and_urllib_call_a_form_is_an_image_too(served: Served) -> None:
    for kind in ("application/x-www-form-urlencoded", "application/octet-stream", None):
        assert served.read(bars("d"), headers={"Content-Type": kind}).json()["text"] == "d"


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
    answer = served.read(b'{"image": ""}', headers={"Content-Type": "application/json"})
    assert answer.status_code == 415
    assert "send one image as the body, or several as multipart/form-data" in answer.json()["error"]
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
    assert set(read["responses"]) == {"200", "400", "408", "413", "415", "422", "429", "503"}
    assert served.get("/docs").status_code == 404  # it would load scripts from elsewhere
