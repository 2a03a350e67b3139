"""Where a folder's runs are, if no other store is named."""

from pathlib import Path


def local_store(root: Path) -> str:
    """The address of the MLflow database below `root`, which is absolute."""
    return f"sqlite:///{root / 'mlruns' / 'mlflow.db'}"
