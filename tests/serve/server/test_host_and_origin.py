"""Web pages elsewhere, and names that are not the server's."""

import http.client
import json
import socket
from collections.abc import Callable

import pytest

from captcha_exp.errors import InputError
from tests.serve.server.conftest import Served, bars

_FORM = {"Content-Type": "multipart/form-data; boundary=b"}
_PART = b'--b\r\nContent-Disposition: form-data; name="files"; filename="x.png"\r\n\r\n' + bars("ab") + b"\r\n--b--\r\n"
_EVENT = json.dumps({"data": [None, "", "", "", ""], "fn_index": 1, "session_hash": "doors"}).encode()
# Every kind of route: the endpoint's, the page, what it loads, its uploads, its events with and without the queue.
ROUTES: list[tuple[str, str, bytes, dict[str, str]]] = [
    ("POST", "/v1/read", bars("ab"), {}),
    ("POST", "/v1/read", _PART, _FORM),  # a form needs no leave
    ("GET", "/healthz", b"", {}),
    ("GET", "/metrics", b"", {}),
    ("GET", "/openapi.json", b"", {}),
    ("GET", "/", b"", {}),
    ("GET", "/config", b"", {}),
    ("GET", "/theme.css", b"", {}),
    ("GET", "/static/img/logo.svg", b"", {}),
    ("GET", "/gradio_api/file=x", b"", {}),
    ("GET", "/gradio_api/heartbeat/doors", b"", {}),
    ("GET", "/gradio_api/queue/data?session_hash=doors", b"", {}),
    ("GET", "/gradio_api/upload_progress?upload_id=doors", b"", {}),
    ("POST", "/gradio_api/upload", _PART, _FORM),
    ("POST", "/gradio_api/queue/join", _EVENT, {"Content-Type": "application/json"}),
    ("POST", "/gradio_api/run/predict", _EVENT, {"Content-Type": "application/json"}),
    ("POST", "/gradio_api/cancel", b"{}", {"Content-Type": "application/json"}),
    ("POST", "/gradio_api/reset", b"{}", {"Content-Type": "application/json"}),
    ("OPTIONS", "/v1/read", b"", {"Access-Control-Request-Method": "POST"}),
    ("PUT", "/v1/read", b"", {}),
    ("DELETE", "/gradio_api/upload", b"", {}),
    ("GET", "/nowhere", b"", {}),
]
_named = pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route[0]} {route[1]}")


def _send(served: Served, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of the answer to a request with these headers and no others."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            connection.putheader(name.replace("_", "-"), value.format(port=served.port))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())
    finally:
        connection.close()


def _refused(answer: tuple[int, str, dict[str, str]], reason: str) -> None:
    status, body, headers = answer
    assert (status, json.loads(body)) == (403, {"error": reason})
    assert not any(name.lower().startswith("access-control") for name in headers)


@_named
def test_no_route_answers_to_the_name_of_another_site(
    served: Served, route: tuple[str, str, bytes, dict[str, str]]
) -> None:
    """A name of the attacker's that points to 127.0.0.1: to the browser the server is then the attacker's own site."""
    method, path, body, headers = route
    for host in ("evil.example", "evil.example:{port}"):
        answer = _send(served, method, path, body, Host=host, Origin=f"http://{host}", **headers)
        shown = host.format(port=served.port)
        _refused(answer, f"host '{shown}' is not served here; `allowed_hosts` names those that are")


@_named
def test_no_route_answers_to_a_page_of_another_site(
    served: Served, route: tuple[str, str, bytes, dict[str, str]]
) -> None:
    method, path, body, headers = route
    for origin in (
        "http://evil.example",
        "http://localhost:1",
        "http://127.0.0.1:80",
        "null",
        "http://127.0.0.1:{port}.evil.example",
    ):
        answer = _send(served, method, path, body, Host="127.0.0.1:{port}", Origin=origin, **headers)
        shown = origin.format(port=served.port)
        _refused(answer, f"pages of '{shown}' may not use this server; `allowed_origins` names those that may")


@_named
def test_a_page_of_another_site_that_hides_its_origin_is_known_by_what_the_browser_says_of_it(
    served: Served, route: tuple[str, str, bytes, dict[str, str]]
) -> None:
    method, path, body, headers = route
    for site in ("cross-site", "same-site"):
        answer = _send(served, method, path, body, Host="localhost:{port}", Sec_Fetch_Site=site, **headers)
        _refused(answer, "pages of another origin may not use this server")


def test_a_link_from_elsewhere_leads_to_the_page_and_not_to_its_events(served: Served) -> None:
    followed = {"Host": "localhost:{port}", "Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert _send(served, "GET", "/", **followed)[0] == 200
    assert _send(served, "POST", "/v1/read", bars("ab"), **followed)[0] == 403
    assert _send(served, "GET", "/gradio_api/heartbeat/x", **followed)[0] == 403


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:{port}", "127.0.0.1", "127.0.0.1:{port}", "[::1]", "[::1]:{port}", "[0:0:0:0:0:0:0:1]"],
)  # fmt: skip
def test_programs_that_name_the_machine_itself_are_answered(served: Served, host: str) -> None:
    status, body, _ = _send(served, "POST", "/v1/read", bars("ab"), Host=host)
    assert (status, json.loads(body)["text"]) == (200, "ab")
    origin = f"http://{host}".lower()
    assert (
        _send(served, "POST", "/v1/read", bars("ab"), Host=host, Origin=origin, Sec_Fetch_Site="same-origin")[0] == 200
    )


@pytest.mark.parametrize(
    "host",
    [
        "localhost.evil.example", "evil.example@127.0.0.1", "127.0.0.1@evil.example", "127.0.0.1.evil.example", "127.1",
        "0.0.0.0", "2130706433", "localhost,evil.example", "localhost:80:80", "localhost:", "[::1", "::1", "[::1].x",
        "[::2]", "loc alhost", "localhost/", "//localhost", "http://localhost", "\xe9vil", "",
    ],
)  # fmt: skip
def test_what_only_looks_like_the_machine_itself_is_refused(served: Served, host: str) -> None:
    status, body, _ = _send(served, "POST", "/v1/read", bars("ab"), Host=host)
    assert status in {400, 403}
    assert set(json.loads(body)) == {"error"}


def test_a_request_without_a_host_or_with_two_is_refused(served: Served) -> None:
    for lines in (b"", b"Host: localhost\r\nHost: evil.example\r\n", b"Host: evil.example\r\nHost: localhost\r\n"):
        assert _raw(served, b"GET /healthz HTTP/1.1\r\n" + lines + b"\r\n").startswith(b"HTTP/1.1 400 ")
    assert b"the request names no host" in _raw(served, b"GET /healthz HTTP/1.0\r\n\r\n")


def test_a_request_that_names_its_host_in_the_target_finds_nothing(served: Served) -> None:
    answer = _raw(served, b"GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404 ")


def test_what_a_proxy_says_of_the_host_is_held_to_the_same(served: Served) -> None:
    """Gradio writes that name into the page, as the address of all that it loads."""
    answer = _send(served, "GET", "/", Host="localhost", X_Forwarded_Host="evil.example")
    _refused(answer, "host 'evil.example' is not served here; `allowed_hosts` names those that are")


def test_further_names_and_origins_can_be_allowed(serve: Callable[..., Served]) -> None:
    served = serve("allowed_hosts=[read.example]", "allowed_origins=[https://app.example]")
    assert _send(served, "POST", "/v1/read", bars("a"), Host="Read.Example", Origin="https://read.example")[0] == 200
    assert _send(served, "POST", "/v1/read", bars("a"), Host="localhost", Origin="https://app.example")[0] == 200
    assert _send(served, "POST", "/v1/read", bars("a"), Host="localhost", Origin="http://app.example")[0] == 403
    assert _send(served, "POST", "/v1/read", bars("a"), Host="x.read.example")[0] == 403


def test_any_name_can_be_allowed_and_pages_elsewhere_stay_out(serve: Callable[..., Served]) -> None:
    served = serve("allowed_hosts=['*']")
    assert _send(served, "POST", "/v1/read", bars("a"), Host="read.example:1")[0] == 200
    assert _send(served, "POST", "/v1/read", bars("a"), Host="read.example:1", Origin="http://evil.example")[0] == 403


def test_names_and_origins_that_cannot_be_meant_are_named(serve: Callable[..., Served]) -> None:
    for override, message in (
        (
            "allowed_hosts=['http://a']",
            "allowed_hosts must be names or addresses without a port, or '*', not 'http://a'",
        ),
        ("allowed_origins=[a]", "allowed_origins must be SCHEME://NAME[:PORT] without a path, not 'a'"),
    ):
        with pytest.raises(InputError) as error:
            serve(override)
        assert message in str(error.value)


def _raw(served: Served, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(10_000), b""))
