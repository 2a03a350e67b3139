"""A view of the table of runs in the MLflow UI: its runs, its columns and its order."""

import base64
import json
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

# The UI keeps saved views in tags of the experiment, and it opens the view that the page's address names. MLflow does
# not document this; `test_mlflow_ui.py` opens a view in a browser.
_TAG = "mlflow.sharedViewState."


@dataclass(frozen=True)
class SavedView:
    """The runs that satisfy MLflow's `condition`, sorted by a column. A column is written like metrics.`loss`."""

    name: str
    condition: str
    columns: Sequence[str]
    order_by: str
    ascending: bool

    @property
    def key(self) -> str:
        """The view's key in the address of the page: `?viewStateShareKey=KEY`."""
        return _key(self.name)

    def tag(self) -> tuple[str, str]:
        """Name and value of the experiment's tag that keeps the view."""
        now_ms = int(time.time() * 1000)
        packed = base64.b64encode(zlib.compress(json.dumps(self._state()).encode())).decode()
        view = {"name": self.name, "createdAt": now_ms, "updatedAt": now_ms, "state": f"deflate;{packed}"}
        return _TAG + self.key, json.dumps(view)

    def _state(self) -> dict[str, object]:
        """The state as the UI of MLflow 3.17 writes it. The UI refuses a state if one key is missing."""
        return {
            "searchFilter": self.condition,
            "orderByKey": self.order_by,
            "orderByAsc": self.ascending,
            "startTime": "ALL",
            "lifecycleFilter": "Active",
            "datasetsFilter": [],
            "modelVersionFilter": "All Runs",
            "selectedColumns": list(self.columns),
            "columnOrder": [],
            "columnWidths": {},
            "runsHiddenMode": "FIRST_10_RUNS",
            "viewMaximized": False,
            "runListHidden": False,
            "isAccordionReordered": False,
            "useGroupedValuesInCharts": True,
            "hideEmptyCharts": True,
            "groupBy": None,
            "groupsExpanded": {},
            "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
        }


def view_name(sweep: str) -> str:
    """The name of the view that compares the trials of a sweep."""
    return f"sweep {sweep}"


def view_tag(sweep: str) -> str:
    """The experiment's tag that keeps the view of a sweep."""
    return _TAG + _key(view_name(sweep))


def _key(name: str) -> str:
    return f"sweep-{zlib.crc32(name.encode()):08x}"
