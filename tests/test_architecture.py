"""Who may import whom, and who owns which library, read from the syntax trees."""

import ast
from collections import Counter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "captcha_exp"

# The way that data takes. A room imports only from rooms that stand before it; `__main__` of a room is no exception.
CHAIN = (
    "needed_packages",
    "errors",
    "piped_process",
    "child_processes",
    "extension",
    "files",
    "lock",
    "interruption",
    "foreign_text",
    "html_page",
    "reader",
    "config",
    "terminal",
    "commands",
    "help_page",
    "typed_texts",
    "hidden_passwords",
    "command_line",
    "pretrained_network",
    "hydra_values",
    "metrics",
    "dataset",
    "model",
    "training",
    "tracking",
    "relocate",
    "figures",
    "evaluate",
    "prepare",
    "experiment",
    "promote",
    "export",
    "sweep",
    "remove",
    "report",
    "predict",
    "serve",
    "label",
    "ui",
    "completion",
    "front_door",
    "__main__",
    "python_calls",
)
# Rooms that take less than the chain would give them.
ONLY = {
    "reader": {"errors"},  # it is carried to where a model is served
    "metrics": {"errors", "reader"},
    "sweep": {
        "errors",
        "child_processes",
        "extension",
        "files",
        "foreign_text",
        "terminal",
        "lock",
        "interruption",
        "config",
    },  # it is handed its job: any training can be searched
    "serve": {
        "errors",
        "foreign_text",
        "interruption",
        "terminal",
        "reader",
        "config",
        "command_line",
        "dataset",
        "tracking",
        "predict",
    },
}
# Libraries with one owner each.
OWNERS = {
    "mlflow": {"tracking", "reader"},
    "optuna": {"sweep"},
    "ray": {"sweep"},
    "kagglehub": {"dataset"},
    "hydra": {"sweep", "command_line", "hydra_values", "hidden_passwords", "typed_texts"},
    "gradio": {"serve"},
    "fastapi": {"serve"},
}
# What `--help` must not wait for.
HEAVY = {
    "tensorflow",
    "jax",
    "torch",
    "keras",
    "mlflow",
    "optuna",
    "ray",
    "kagglehub",
    "matplotlib",
    "gradio",
    "fastapi",
}


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


def test_every_room_has_its_place_in_the_chain() -> None:
    rooms = {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()} - {"__init__"}
    assert rooms == set(CHAIN)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_rooms_before_its_own(path: Path) -> None:
    room = part_of(path)
    if room == "__init__":
        return
    imported = imports_of(ast.parse(path.read_text()))
    ours = {name.split(".")[1] for name in imported if name.startswith("captcha_exp.")} - {room}
    assert ours <= ONLY.get(room, set(CHAIN[: CHAIN.index(room)]))


def test_a_files_name_means_one_thing() -> None:
    # The schema's files are called after the groups of `conf/`, as are the rooms.
    files = [path for path in MODULES if path.parent != PACKAGE / "config" / "schema"]
    counts = Counter(path.stem for path in files if not path.stem.startswith("__"))
    assert not [name for name, count in counts.items() if count > 1]


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
    every_start = [PACKAGE / f"{name}.py" for name in ("__main__", "command_line", "hidden_passwords", "typed_texts")]
    every_start += [*(REPOSITORY / "hydra_plugins").rglob("*.py"), *(PACKAGE / "config").glob("*.py")]
    for path in every_start:
        assert not top_level_imports(path) & HEAVY, path


def test_a_command_starts_without_its_room() -> None:
    """`python -m` imports the room before `main` runs: what is heavy would come before any check, and any quiet."""
    for command in PACKAGE.glob("*/__main__.py"):
        room = imports_of(ast.parse(command.with_name("__init__.py").read_text()))
        assert not {name for name in room if name.startswith("captcha_exp.")}, command.parent
        assert not top_level_imports(command) & HEAVY, command


def test_nothing_outside_tests_asserts() -> None:
    for path in [*MODULES, *(REPOSITORY / "hydra_plugins").rglob("*.py")]:
        asserts = [node.lineno for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)]
        assert not asserts, f"{path} asserts in lines {asserts}"
