"""Text that somebody else wrote, on its way to where it could mean something."""

import ast
import csv
import html
import io
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment, nodes
from markupsafe import Markup
from omegaconf import OmegaConf

from captcha_exp.foreign_text import (
    MOST_SHOWN,
    csv_row,
    csv_table,
    escaped,
    file_name,
    identifier,
    is_folder_name,
    markdown,
    markdown_code,
    shortened,
    verbatim,
    visible,
)
from captcha_exp.html_page import page_environment
from tests.hostile_text import HOSTILE_TEXT

PACKAGE = Path(__file__).resolve().parents[1] / "captcha_exp"
# Half surrogates too, which JSON in a database can hold.
ANY = st.one_of(
    st.text(st.characters(codec=None, exclude_categories=())),
    st.sampled_from([text[: 2 * MOST_SHOWN] for text in HOSTILE_TEXT.values()]),
)
UNHURRIED = settings(deadline=None)  # on a loaded machine the first of a hundred is slow


@UNHURRIED
@given(ANY)
def test_visible_text_is_one_printable_line_of_bounded_length(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert len(shown) <= 10 * MOST_SHOWN + 40
    shown.encode()  # nothing without bytes is left
    if text.isprintable() and len(text) <= MOST_SHOWN:
        assert shown == text


@UNHURRIED
@given(ANY)
def test_escaped_text_is_one_line_that_gives_the_text_back(text: str) -> None:
    line = escaped(text)
    assert line.isprintable()
    plain = line.encode("latin-1", "backslashreplace").decode("unicode_escape")
    assert plain == text


@UNHURRIED
@given(st.lists(st.lists(ANY, min_size=1, max_size=4), max_size=4))
def test_a_table_is_read_back_exactly(rows: list[list[str]]) -> None:
    assert list(csv.reader(io.StringIO(csv_table(rows), newline=""))) == rows


def test_a_table_keeps_what_a_spreadsheet_would_compute() -> None:
    """Programs read these tables, and a label with an apostrophe before it is another label."""
    assert csv_row(["=1+1", "@SUM(1)", "+1", "-1"]) == "=1+1,@SUM(1),+1,-1"


@UNHURRIED
@given(ANY)
def test_nothing_stored_is_resolved_again(text: str) -> None:
    assert OmegaConf.to_container(OmegaConf.create({"a": [verbatim(text)]}), resolve=True) == {"a": [text]}


@UNHURRIED
@given(ANY.filter(lambda text: "\x85" not in text and text.isprintable()))
def test_yaml_of_a_stored_text_gives_the_text_back(text: str) -> None:
    written = OmegaConf.to_yaml({"a": verbatim(text)})
    assert OmegaConf.to_container(OmegaConf.create(written), resolve=True) == {"a": text}


@UNHURRIED
@given(ANY)
def test_a_file_name_stays_in_its_folder(text: str) -> None:
    name = file_name(text)
    assert 0 < len(os.fsencode(name)) <= 120
    assert "/" not in name and "\0" not in name and name not in (".", "..")
    assert name == re.sub(r"\s", "", name)


@UNHURRIED
@given(ANY, ANY)
def test_an_identifier_is_plain_and_tells_texts_apart(one: str, other: str) -> None:
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", identifier(one))
    assert (identifier(one) == identifier(other)) == (one == other)


@UNHURRIED
@given(ANY)
def test_markdown_has_no_meaning_left(text: str) -> None:
    line = markdown(text)
    assert "\n" not in line
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>!#$]", line)


@UNHURRIED
@given(ANY)
def test_code_in_markdown_ends_at_its_own_fence(text: str) -> None:
    code = markdown_code(text)
    fence = re.match("`+", code)
    assert fence is not None
    inner = code[len(fence[0]) : -len(fence[0])]
    assert fence[0] not in re.findall("`+", inner)
    assert "\n" not in code


def test_what_is_left_out_is_told() -> None:
    assert shortened("x" * 30, 10) == "xxxxxxxxxx… (20 more characters)"
    assert shortened("x" * 10, 10) == "x" * 10


@pytest.mark.parametrize(
    "name", ["..", ".", "", " ", "a/b", "a\\b", "a\0", "a\n", "\u202ea", "\ud800", "ü" * 101, "x" * 201]
)
def test_no_folder_is_called_like_that(name: str) -> None:
    assert not is_folder_name(name)


@pytest.mark.parametrize("name", ["a", "a b", "..a", "ü", "it's", "<b>", "$x", "x" * 200])
def test_a_folder_can_be_called_like_that(name: str) -> None:
    assert is_folder_name(name)


TEMPLATE = page_environment("captcha_exp.report").from_string('<p title="{{ text }}">{{ text }}</p>')


def test_a_page_keeps_what_we_drew_whole() -> None:
    assert TEMPLATE.render(text=Markup("<b>" * 1_000)).endswith(f">{'<b>' * 1_000}</p>")


@UNHURRIED
@given(ANY)
def test_a_page_shows_text_as_text(text: str) -> None:
    shown = TEMPLATE.render(text=text)
    inner = re.fullmatch(r'<p title="([^"<>]*)">([^<>]*)</p>', shown)
    assert inner is not None
    assert html.unescape(inner[2]) == visible(text, keep="\n")


TEMPLATES = sorted(PACKAGE.rglob("*.j2"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.parent.parent.name)
def test_no_template_takes_foreign_text_for_markup(path: Path) -> None:
    tree = Environment(autoescape=True).parse(path.read_text())
    filters = {node.name for node in tree.find_all(nodes.Filter)}
    assert not filters & {"safe", "xmlattr", "urlize", "tojson", "forceescape"}
    assert not list(tree.find_all((nodes.MarkSafe, nodes.MarkSafeIfAutoescape, nodes.ScopedEvalContextModifier)))
    assert not any("script" in text.data or "javascript:" in text.data for text in tree.find_all(nodes.TemplateData))


def calls(path: Path) -> set[str]:
    return {ast.unparse(node.func) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)}


@pytest.fixture(scope="module")
def called() -> dict[str, set[str]]:
    """What each module calls."""
    return {path.relative_to(PACKAGE).as_posix(): calls(path) for path in sorted(PACKAGE.rglob("*.py"))}


def callers(called: dict[str, set[str]], *names: str) -> set[str]:
    return {module for module, made in called.items() if made & set(names)}


def test_every_template_is_rendered_by_the_one_environment_that_escapes(called: dict[str, set[str]]) -> None:
    assert callers(called, "Environment", "jinja2.Environment", "Template", "jinja2.Template") == {"html_page.py"}


def test_markup_is_made_of_drawings_pictures_and_style_alone(called: dict[str, set[str]]) -> None:
    assert callers(called, "Markup") == {
        "prepare/embedded_images.py",
        "report/charts/svg_style.py",
        "report/report_page.py",
        "report/wrong_reads.py",
    }


def test_lines_reach_a_terminal_through_one_place(called: dict[str, set[str]]) -> None:
    """`predict` prints lines for programs, whose parts are escaped; Hydra's own YAML goes on as it is.

    `needed_packages` prints before anything can be imported, and nothing that others wrote.
    """
    own = {"predict/__main__.py", "hidden_passwords.py", "needed_packages.py"}
    assert callers(called, "print") == {"terminal.py", *own}
    assert callers(called, "Console") == {"sweep/whole_sweep.py", "dataset/progress.py"}
    assert callers(called, "sys.stdout.write", "sys.stderr.write") == set()


def test_tables_are_written_in_one_place(called: dict[str, set[str]]) -> None:
    assert callers(called, "csv.writer", "csv.DictWriter") == {"foreign_text.py"}
