"""The folders that keep audits."""

import json
from pathlib import Path

from captcha_exp.config import DatasetConfig
from captcha_exp.files import replacing
from captcha_exp.foreign_text import file_name
from captcha_exp.prepare.audit_result import Audit, division_of

PAGE = "index.html"
TABLE = "audit.json"
_FINGERPRINT_SHOWN = 16
_MAX_NAME = 60


def audit_dir(root: Path, audit: Audit) -> Path:
    """The folder of a dataset's audit, e.g. `audits/captcha_images_v2-1f0c2a...`."""
    return root / "audits" / f"{file_name(audit.title[:_MAX_NAME])}-{audit.fingerprint[:_FINGERPRINT_SHOWN]}"


def write_audit(audit: Audit, page: str, root: Path) -> Path:
    """Keep an audit as `audit.json` and as a page, and replace an earlier audit. Return the page's path."""
    folder = audit_dir(root, audit)
    folder.mkdir(parents=True, exist_ok=True)
    table = json.dumps(audit.to_dict(), indent=1, ensure_ascii=False) + "\n"
    # Write the table last: if it exists, the page exists too.
    for name, text in ((PAGE, page), (TABLE, table)):
        with replacing(folder / name) as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    return folder / PAGE


def find_audit(root: Path, fingerprint: str, config: DatasetConfig) -> list[Path]:
    """The files of a dataset's audit with the same division as `config`; empty if there is no such audit."""
    for table in sorted((root / "audits").glob(f"*-{fingerprint[:_FINGERPRINT_SHOWN]}/{TABLE}")):
        try:
            kept = json.loads(table.read_text(encoding="utf-8"))
        except ValueError:
            continue
        if kept["fingerprint"] == fingerprint and kept["division"] == division_of(config):
            return [table, table.with_name(PAGE)]
    return []
