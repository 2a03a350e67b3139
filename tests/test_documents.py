"""What the pages of the project say about one another and about its commands."""

import importlib.util
import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = sorted(path for folder in (".", "docs", "sweeps", "mlruns") for path in (REPOSITORY / folder).glob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.M)
MODULE = re.compile(r"python -m ((?:captcha_exp|benchmarks)[\w.]*)")


def anchor(heading: str) -> str:
    """A heading as links name it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text()):
        if link.startswith(("http://", "https://")):
            continue
        path, _, wanted = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not wanted or wanted in map(anchor, HEADING.findall(target.read_text())), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    for module in set(MODULE.findall(page.read_text())):
        assert importlib.util.find_spec(module.rstrip(".")) is not None, module
