"""Who may import whom, and who owns which library, read from the syntax trees."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "captcha_exp"

BASE = {"errors", "extension", "lock", "config", "vocabulary", "metrics", "image", "quiet"}
# What each part may import of ours, besides itself.
ALLOWED = {
    "errors": set(),
    "extension": {"errors"},
    "lock": set(),
    "quiet": set(),
    "config": {"errors"},
    "vocabulary": {"errors", "config"},
    "metrics": {"errors", "config"},
    "image": {"errors", "config"},
    "dataset": BASE,
    "decoding": BASE,
    "model": BASE | {"decoding"},
    "tracking": BASE,
    "figures": BASE,
    "evaluation": BASE | {"model"},
    "training": BASE | {"model", "evaluation"},
    "audit": BASE | {"dataset", "evaluation"},
    "experiment": BASE | {"dataset", "model", "tracking", "figures", "evaluation", "training", "audit"},
    "promotion": BASE | {"dataset", "model", "tracking", "evaluation", "experiment"},
    "serving": BASE | {"decoding", "tracking"},
    "sweep": {"errors", "lock", "config"},
    "reporting": BASE | {"dataset", "tracking", "sweep"},
}
# `servable_model` is what MLflow itself runs where a model is served.
COMMANDS = {
    "servable_model",
    "predict",
    "__init__",
    "__main__",
    "commands",
    "prepare",
    "evaluate",
    "report",
    "promote",
    "serve",
}
# Libraries with one owner each.
OWNERS = {
    "mlflow": {"tracking", "servable_model"},
    "optuna": {"sweep"},
    "kagglehub": {"dataset"},
    "hydra": {"sweep"} | COMMANDS,
    "gradio": {"serving"},
    "fastapi": {"serving"},
}
# What `--help` must not wait for.
HEAVY = {"tensorflow", "keras", "mlflow", "optuna", "kagglehub", "matplotlib", "gradio", "fastapi"}


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(tree: ast.AST) -> set[str]:
    modules: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module)
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_the_layers_below(path: Path) -> None:
    part = part_of(path)
    imported = imports_of(ast.parse(path.read_text()))
    ours = {name.split(".")[1] for name in imported if name.startswith("captcha_exp.")} - {part}
    if part in COMMANDS:
        # Commands share `commands`; nothing else imports a command.
        assert not ours & (COMMANDS - {"commands"})
        return
    parts = {p.stem if p.suffix else p.name for p in PACKAGE.iterdir()}
    assert part in ALLOWED, f"{part} is new: say in ALLOWED what it may import"
    assert ours & parts <= ALLOWED[part]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_library_is_imported_by_its_owner_alone(path: Path) -> None:
    libraries = {name.split(".")[0] for name in imports_of(ast.parse(path.read_text()))}
    for library, owners in OWNERS.items():
        assert library not in libraries or part_of(path) in owners


def top_level_imports(path: Path) -> set[str]:
    """Modules imported when `path` is, not those inside its functions."""
    tree = ast.parse(path.read_text())
    tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return {name.split(".")[0] for name in imports_of(tree)}


def test_what_every_start_imports_is_light() -> None:
    every_start = [*(REPOSITORY / "hydra_plugins").rglob("*.py"), PACKAGE / "__main__.py", PACKAGE / "commands.py"]
    every_start += (PACKAGE / "config").glob("*.py")
    for path in every_start:
        assert not top_level_imports(path) & HEAVY, path


def test_nothing_outside_tests_asserts() -> None:
    for path in [*MODULES, *(REPOSITORY / "hydra_plugins").rglob("*.py")]:
        asserts = [node.lineno for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)]
        assert not asserts, f"{path} asserts in lines {asserts}"
