"""A sweep as people look at it: in the real MLflow UI, and as a report, both in a real browser."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlparse

import mlflow
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.end_to_end.conftest import Folder
from tests.loopback import end_server, free_port, start_server

SWEEP = [
    *("+sweep=smoke", "sweep.n_trials=2", "sweep.workers=1", "training.epochs=2", "training.threads=1"),
    *("dataset.size=160", "dataset.image_height=32", "dataset.image_width=64", "cnn.filters=[8,16,16]"),
    *("transformer.feed_forward_dim=16", "transformer.depth=1", "augmentation=none,light"),
    "sweep.sampler.seed=1",
]
NO_ASSISTANT = "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')"
WAIT_MS = 120_000


@dataclass
class Swept:
    """A finished sweep in `root`, its report, a copy of that while it ran, and the UI that serves its store."""

    root: Path
    report: Path
    running: Path
    ui: str
    requests: list[str] = field(default_factory=list)

    @property
    def client(self) -> mlflow.MlflowClient:
        return mlflow.MlflowClient(f"sqlite:///{self.root}/mlruns/mlflow.db")


@pytest.fixture(scope="module")
def swept(
    browser: Browser, give_database: Callable[[Path], None], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Swept]:
    root = tmp_path_factory.mktemp("swept")
    give_database(root)
    folder, report = Folder(root), root / "sweeps" / "smoke" / "report" / "report.html"
    sweep = folder.start_warm(*SWEEP, "sweep.report_every_s=1")
    folder.wait_until(report.is_file, "the page of the running sweep")
    running = Path(shutil.copy(report, root / "running.html"))
    printed, errors = sweep.communicate(timeout=400)
    assert sweep.returncode == 0, errors
    assert f"watch it:       {report.as_uri()}" in printed
    address = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", f"sqlite:///{root}/mlruns/mlflow.db"]
    command += ["--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--workers", "1"]
    # Without this, MLflow starts five more processes, for jobs that nobody here has.
    settings = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    server = start_server(command, f"{address}/health", root, **settings)
    yield Swept(root, report, running, address)
    end_server(server)


@pytest.fixture
def page(browser: Browser, swept: Swept) -> Iterator[Page]:
    """A page whose every request is noted."""
    opened = browser.new_page(viewport={"width": 1440, "height": 900})
    opened.set_default_timeout(WAIT_MS)
    opened.add_init_script(NO_ASSISTANT)
    opened.on("request", lambda request: swept.requests.append(request.url))
    yield opened
    opened.close()
    hosts = {urlparse(url).netloc for url in swept.requests} - {""}
    assert hosts <= {urlparse(swept.ui).netloc}


def test_the_trials_of_a_sweep_unfold_below_it(page: Page, swept: Swept) -> None:
    page.goto(f"{swept.ui}/#/experiments/1/runs")
    row = page.get_by_role("row").filter(has=page.get_by_role("link", name="smoke"))
    expect(row).to_be_visible(timeout=WAIT_MS)
    assert page.get_by_role("link", name="trial-0001").count() == 0
    row.get_by_role("button").first.click()
    expect(page.get_by_role("link", name="trial-0000")).to_be_visible()
    expect(page.get_by_role("link", name="trial-0001")).to_be_visible()
    (parent,) = swept.client.search_runs(["1"], "tags.kind = 'sweep'")
    assert parent.data.params["sweep.space.transformer.num_heads"] == "choice(1, 2)"
    assert {one.tags[0].value for one in parent.inputs.dataset_inputs} == {"training", "validation", "test"}
    (trial,) = swept.client.search_runs(["1"], "tags.trial = '0'")
    assert f"trial-0000 of [smoke](#/experiments/1/runs/{parent.info.run_id})" in trial.data.tags[
        "mlflow.note.content"
    ].replace("\\", "")
    assert "captcha-exp promote sweep=NAME" in swept.client.get_experiment("1").tags["mlflow.note.content"]
    page.get_by_role("link", name="smoke").click()
    description = page.get_by_text("does everything work here, from the images to the report?")
    expect(description.first).to_be_visible(timeout=WAIT_MS)


def test_the_address_a_sweep_prints_compares_its_trials(page: Page, swept: Swept) -> None:
    tags = swept.client.get_experiment("1").tags
    (key,) = [name.removeprefix("mlflow.sharedViewState.") for name in tags if "sharedViewState" in name]
    address = f"{swept.ui}/#/experiments/1/runs?viewStateShareKey={key}&workflowType=machine_learning"
    page.goto(address)
    headers = page.get_by_role("columnheader")
    for name in ("best/val/sequence_accuracy", "augmentation", "transformer.dropout", "transformer.num_heads"):
        expect(headers.filter(has_text=name).first).to_be_attached(timeout=WAIT_MS)
    for name in ("trial-0000", "trial-0001"):
        row = page.get_by_role("row").filter(has=page.get_by_role("link", name=name))
        row.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("Comparing 2 Runs from 1 Experiment").first).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(".js-plotly-plot").first).to_be_visible(timeout=WAIT_MS)
    chosen = page.locator("body").inner_text()
    # What the UI draws first are params that differ: these are the searched ones, not the trial's number.
    assert "sweep.trial_id" not in chosen
    assert "transformer.dropout" in chosen.split("Metrics:")[0]
    page.goto(f"{address}&compareRunsMode=CHART")
    page.get_by_placeholder("Search metric charts").fill("val/sequence_accuracy")
    curves = page.get_by_text("val/sequence_accuracy", exact=True).first
    expect(curves).to_be_visible(timeout=WAIT_MS)


def test_the_sheet_of_predictions_opens(page: Page, swept: Swept) -> None:
    (trial, *_) = swept.client.search_runs(["1"], "attributes.run_name = 'trial-0000'")
    page.goto(f"{swept.ui}/#/experiments/1/runs/{trial.info.run_id}/artifacts/validation_sheet.png")
    picture = page.locator("img[src^=blob]").first
    expect(picture).to_be_visible(timeout=WAIT_MS)
    assert picture.evaluate("image => image.naturalWidth") > 500


def test_the_page_of_the_running_sweep_loads_itself_again_and_that_of_the_ended_one_does_not(
    page: Page, swept: Swept
) -> None:
    page.goto(swept.running.as_uri())
    expect(page.get_by_text("Running: 0 of 2 trials ended")).to_be_visible()
    looks_again = page.locator("meta[http-equiv=refresh]")
    assert looks_again.get_attribute("content") == "1"
    shutil.copy(swept.report, swept.running)  # as the sweep does at its end
    expect(page.get_by_text("Best configuration")).to_be_visible()
    assert looks_again.count() == 0


def test_the_report_reads_from_disk_on_a_phone(page: Page, swept: Swept) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(swept.report.as_uri())
    assert page.locator("h1").text_content() == "does everything work here, from the images to the report?"
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    loaded = page.locator(".reads img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert loaded and set(loaded) == {64}
    assert page.locator(".parallel:visible svg").count() == 1
    assert [url for url in swept.requests if url.startswith("file:")][-1] == swept.report.as_uri()
    (parent, *_) = swept.client.search_runs(["1"], "tags.kind = 'sweep'")
    kept = {artifact.path for artifact in swept.client.list_artifacts(parent.info.run_id)}
    assert "report.html" in kept
    assert swept.report.stat().st_size < 1_500_000
