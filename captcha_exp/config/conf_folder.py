"""Where the shipped values lie."""

from pathlib import Path

PACKAGE_DIR = Path(__file__).resolve().parents[1]


def conf_dir() -> Path:
    """Folder of the shipped `conf/`: inside an installed wheel, or beside the package in a checkout."""
    installed = PACKAGE_DIR / "conf"
    return installed if installed.is_dir() else PACKAGE_DIR.parent / "conf"
