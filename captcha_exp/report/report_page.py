"""Write the page: one HTML file that holds everything about the sweeps and loads nothing else."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from captcha_exp.config import ReportCommandConfig
from captcha_exp.foreign_text import file_name
from captcha_exp.html_page import page_environment, write_page
from captcha_exp.report import charts
from captcha_exp.report.sweep_facts import SweepFacts, gather
from captcha_exp.report.sweep_section import Section, describe
from captcha_exp.sweep.study_facts import read_sweep
from captcha_exp.tracking import SweepRun, open_store

_FILE = "report.html"


def write_report(config: ReportCommandConfig) -> Path:
    """Write the report of the sweeps that `config` names, and keep it on their runs in the store.

    Args:
        config: which sweeps, where they are, what to show.

    Returns:
        The path of the page.

    Raises:
        InputError: there is no such sweep, or the page cannot be written.
    """
    wanted, root = config.report, config.root_path
    # Read these first, because a name may be wrong, and opening the store creates one.
    sweeps = [read_sweep(root, name, wanted.storage) for name in wanted.sweep]
    store = open_store(config.tracking, root)
    facts = [gather(sweep, store, wanted.curves) for sweep in sweeps]
    with charts.chart_style():
        sections = [describe(one, store, root, wanted.images) for one in facts]
        page = _render(sections)
    path = _path(config, facts)
    write_page(path, page)
    for one in facts:
        if one.parent is not None:
            SweepRun(store, one.parent.run_id).log_files([path])
    return path


def _render(sections: list[Section]) -> str:
    environment = page_environment("captcha_exp.report")
    style = environment.get_template("report.css").render()
    return environment.get_template("report.html.j2").render(
        sections=sections,
        style=Markup(style),
        comparison=_comparison(sections),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _comparison(sections: list[Section]) -> dict[str, Any] | None:
    """What the page says about several sweeps together; None for a single sweep."""
    if len(sections) == 1:
        return None
    facts = [section.facts for section in sections]
    metrics = {one.metric for one in facts}
    data = {fingerprint for one in facts for fingerprint in one.fingerprints}
    return {
        "race": charts.race(facts, "race") if len(metrics) == 1 else None,
        "metric": facts[0].metric,
        "same_data": len(data) <= 1,
    }


def _path(config: ReportCommandConfig, facts: list[SweepFacts]) -> Path:
    if config.report.output is not None:
        return Path(config.report.output).expanduser().resolve()
    if len(facts) == 1:
        return facts[0].sweep.folder / "report" / _FILE
    return facts[0].sweep.folder.parent / f"{file_name('-'.join(one.sweep.name for one in facts))}.html"
