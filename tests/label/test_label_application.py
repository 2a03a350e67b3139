"""The routes of the page, and who may use them."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from captcha_exp.label.label_application import label_application
from captcha_exp.label.label_table import LabelTable
from captcha_exp.label.labelling_session import LabellingSession

ROUTES = ["/", "/page.js", "/page.css", "/state", "/images/0"]


@pytest.fixture
def client(begun: Callable[..., LabellingSession]) -> Iterator[TestClient]:
    with TestClient(label_application(begun(), "127.0.0.1"), base_url="http://127.0.0.1:7861") as client:
        yield client


def post(
    client: TestClient, path: str, headers: dict[str, str] | None = None, **body: Any
) -> tuple[int, dict[str, Any]]:
    given = {"token": client.get("/state").json()["token"], **body}
    response = client.post(path, json=given, headers=headers)
    return response.status_code, response.json()


def test_a_label_is_written_and_the_next_image_shown(client: TestClient, folder: Path) -> None:
    number, name = (client.get("/state").json()[key] for key in ("number", "name"))
    status, state = post(client, "/label", number=number, label=" 4F7k <b>")
    assert (status, state["labelled"]) == (200, 1)
    assert state["number"] != number
    assert LabelTable(folder / "labels.csv").rows == [(name, " 4F7k <b>", "train")]
    assert post(client, "/undo")[1]["guess"] == " 4F7k <b>"
    assert post(client, "/skip", number=number)[1]["skipped"] == 1


@pytest.mark.parametrize("path", ROUTES)
def test_pages_elsewhere_and_other_names_get_nothing(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200
    for headers in (
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ):
        assert client.get(path, headers=headers).status_code == 403


@pytest.mark.parametrize("path", ["/label", "/skip", "/undo"])
def test_only_the_page_of_this_start_changes_the_table(client: TestClient, folder: Path, path: str) -> None:
    state = client.get("/state").json()
    body = {"token": state["token"], "number": state["number"], "label": "forged"}
    assert client.post(path, json=body, headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.post(path, json=body, headers={"Content-Type": "text/plain"}).status_code == 415  # needs no leave
    assert client.post(path, json={**body, "token": "an earlier one"}).status_code == 409
    assert client.post(path, json={**body, "token": None}).status_code == 409
    assert client.get(path).status_code == 405
    assert LabelTable(folder / "labels.csv").rows == []


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b"[]", 400), (b"[" * 9_000, 400), (b'"' + b"x" * 20_000 + b'"', 413), (b"\xff", 400)],
)
def test_a_damaged_body_is_refused_in_a_line(client: TestClient, content: bytes, status: int) -> None:
    response = client.post("/label", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == status
    assert set(response.json()) == {"error"}


@pytest.mark.parametrize("number", [None, True, "1", 1.5, -1, 20, 10**30])
def test_only_numbers_of_images_are_taken(client: TestClient, number: object) -> None:
    for path in ("/label", "/skip"):
        status, answer = post(client, path, number=number, label="x")
        assert status in {400, 422}
        assert set(answer) == {"error"}
    assert post(client, "/label", number=1, label=5)[0] == 400


def test_an_image_is_served_by_number_as_a_picture_that_any_browser_can_show(client: TestClient, folder: Path) -> None:
    state = client.get("/state").json()
    given = Image.open(folder / state["name"])
    response = client.get(f"/images/{state['number']}")
    assert response.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(response.content)).convert("L").tobytes() == given.convert("L").tobytes()
    given.save(folder / state["name"], "TIFF")
    assert client.get(f"/images/{state['number']}").content[:4] == b"\x89PNG"
    (folder / state["name"]).write_bytes(b"<script>alert('hostile')</script>")
    assert client.get(f"/images/{state['number']}").status_code == 422
    (folder / state["name"]).unlink()
    assert client.get(f"/images/{state['number']}").status_code == 422
    for path in ("/images/20", "/images/-1", "/images/..%2f..%2fetc%2fpasswd", "/images/x", f"/images/{'9' * 5000}"):
        assert client.get(path).status_code == 404


def test_no_page_may_load_anything_from_elsewhere_or_be_framed(client: TestClient) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert client.get("/state").headers["cache-control"] == "no-store"
