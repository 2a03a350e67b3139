"""Write the page: one HTML file that holds everything about the sweeps and loads nothing else."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from captcha_exp.config import ReportCommandConfig
from captcha_exp.foreign_text import file_name
from captcha_exp.html_page import page_environment, write_page
from captcha_exp.report import charts
from captcha_exp.report.sweep_facts import SweepFacts, gather, so_far
from captcha_exp.report.sweep_section import Section, describe
from captcha_exp.report.wrong_reads import wrong_reads
from captcha_exp.sweep.live_page import Progress, page_of
from captcha_exp.sweep.study_facts import read_sweep
from captcha_exp.tracking import SweepRun, open_store

_CURVES = 5  # of a running sweep


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
    reads = [wrong_reads(one, store, root, wanted.images) for one in facts]
    hints = [store.ui_hint(one.parent.run_id) if one.parent is not None else None for one in facts]
    with charts.chart_style():
        page = _render([describe(*known, None) for known in zip(facts, reads, hints, strict=True)])
    path = _path(config, facts)
    write_page(path, page)
    for one in facts:
        if one.parent is not None:
            SweepRun(store, one.parent.run_id).log_files([path])
    return path


def write_progress(progress: Progress) -> Path:
    """Write the page of a sweep that has not ended, from what its study holds; no store of runs is asked.

    Raises:
        OSError: the page cannot be written.
    """
    facts = so_far(progress.sweep, _CURVES)
    with charts.chart_style():
        page = _render([describe(facts, None, progress.ui_hint, progress)])
    path = page_of(progress.sweep.folder)
    write_page(path, page)
    return path


def _render(sections: list[Section]) -> str:
    environment = page_environment("captcha_exp.report")
    style = environment.get_template("report.css").render()
    return environment.get_template("report.html.j2").render(
        sections=sections,
        style=Markup(style),
        comparison=_comparison(sections),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
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
        return page_of(facts[0].sweep.folder)
    return facts[0].sweep.folder.parent / f"{file_name('-'.join(one.sweep.name for one in facts))}.html"
