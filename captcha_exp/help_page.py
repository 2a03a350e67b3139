"""The help of a command, made of the comments beside the keys in `conf/`."""

import shutil
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from captcha_exp.commands import COMMANDS, Command
from captcha_exp.config.conf_folder import conf_dir
from captcha_exp.terminal import end_unread, say

_WIDTH = 100
_COLUMN = 36  # where the sentences begin
_MISSING = "???"
_PROGRAM = "captcha-exp"


@dataclass(frozen=True)
class Explained:
    """A key of `conf/` with its value as text, or a mapping of keys, whose value is None."""

    key: str
    value: str | None
    sentence: str


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for help; what follows `--` is a file."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return bool({"--help", "-h"} & set(arguments[:end]))


def show(text: str) -> None:
    """Print a help."""
    try:
        for line in text.splitlines():
            say(line)
    except BrokenPipeError:
        end_unread()


def overview() -> str:
    """All commands, with a sentence each."""
    longest = max(map(len, COMMANDS))
    lines = (_wrapped(one.sentence, f"  {name:<{longest}}  ", " " * (longest + 4)) for name, one in COMMANDS.items())
    return "\n".join(
        [
            f"{_PROGRAM} COMMAND [KEY=VALUE ...]",
            "",
            *lines,
            "",
            f"{_PROGRAM} COMMAND --help explains one of them. Without a command, KEY=VALUE belongs to train.",
            f'`eval "$({_PROGRAM} completion bash)"` completes commands, keys and choices with the Tab key.',
            "Exit code: 0 done, 1 not all of it could be done, 2 wrong input, 130 after Ctrl-C.",
        ]
    )


def help_page(name: str) -> str:
    """The help of the command `name`: its usage, examples, keys and exit codes."""
    command = COMMANDS[name]
    examples = [f"  {_PROGRAM} {example}" for example in command.examples]
    parts = [f"{_PROGRAM} {name} {command.usage}", _wrapped(command.sentence), "\n".join(["Examples:", *examples])]
    if any(file == "config.yaml" for file, _ in command.values):
        parts.append("\n".join(["Groups, each chosen with GROUP=CHOICE:", *_groups()]))
    if name == "sweep":
        parts.append("\n".join(["Sweeps that are there:", *_sweeps()]))
    parts.append("\n".join(["Keys, with the values that hold if nothing is typed:", *_keys(command)]))
    parts.append(f"{_PROGRAM} {name} --cfg job shows every value, those of other groups too.")
    return "\n\n".join([*parts, command.note])


def explained_keys(command: Command) -> Iterator[Explained]:
    """The keys that a command's help explains."""
    for file, prefix in command.values:
        yield from _of_file(file, prefix)


def explained_groups() -> Iterator[Explained]:
    """The groups of `conf/` that every experiment chooses from, each with its default and its choices."""
    text = (conf_dir() / "config.yaml").read_text(encoding="utf-8")
    root = yaml.compose(text, yaml.SafeLoader)
    for entry in _member(root, "defaults").value:
        for group, choice in getattr(entry, "value", []) if isinstance(entry, yaml.MappingNode) else []:
            yield Explained(group.value, choice.value, _comment_above(text.splitlines(), entry.start_mark.line))


def choices(group: str) -> list[str]:
    """The names of a group's files."""
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))


def _groups() -> Iterator[str]:
    for group in explained_groups():
        yield f"  {group.key}: {', '.join(choices(group.key))}"
        yield f"      {group.sentence} If nothing is typed: {group.value}."
        for part in sorted(path for path in (conf_dir() / group.key).iterdir() if path.is_dir()):
            name = f"{group.key}/{part.name}"
            yield f"  {name}: {', '.join(choices(name))}"
            yield f"      What one of these choices of {group.key} is made of."
    yield f"  +experiment: {', '.join(choices('experiment'))}"
    yield "      Whole configurations."


def _sweeps() -> Iterator[str]:
    for name in choices("sweep"):
        question = yaml.safe_load((conf_dir() / "sweep" / f"{name}.yaml").read_text(encoding="utf-8"))
        yield _wrapped(question["sweep"]["question"], f"  {name}: ", "    ")


def _keys(command: Command) -> Iterator[str]:
    for file, prefix in command.values:
        if prefix == "dataset.":
            yield f"  With {'every dataset' if file.startswith('base/') else f'dataset={Path(file).stem}'}:"
        for key in _of_file(file, prefix):
            value = ".*" if key.value is None else "=..." if key.value == _MISSING else f"={key.value}"
            yield from _in_two_columns(f"  {key.key}{value}", key.sentence)


def _in_two_columns(left: str, right: str) -> Iterator[str]:
    if len(left) >= _COLUMN:
        yield left
        left = ""
    yield _wrapped(right, f"{left:<{_COLUMN}}", " " * _COLUMN)


def _of_file(file: str, prefix: str) -> Iterator[Explained]:
    path, _, inside = file.partition(":")
    text = (conf_dir() / path).read_text(encoding="utf-8")
    node, values = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    if inside:
        node, values = _member(node, inside), values[inside]
    elif path == "config.yaml":  # the keys of a sweep are explained by their own command
        values = {key: value for key, value in values.items() if key != "sweep"}
    yield from _of_mapping(node, values, prefix, text.splitlines())


def _of_mapping(node: Any, values: dict[str, Any], prefix: str, lines: list[str]) -> Iterator[Explained]:
    for key_node, value_node in node.value:
        name = key_node.value
        sentence = _comment_above(lines, key_node.start_mark.line)
        if name not in values or name in {"defaults", "hydra"} or (name == "source" and not sentence):
            continue
        if isinstance(value_node, yaml.MappingNode) and not value_node.flow_style:
            if sentence:
                yield Explained(f"{prefix}{name}", None, sentence)
            yield from _of_mapping(value_node, values[name], f"{prefix}{name}.", lines)
        else:
            yield Explained(f"{prefix}{name}", _as_text(values[name], value_node), sentence)


def _as_text(value: Any, node: Any) -> str:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    return str(yaml.safe_dump(value, default_flow_style=True, width=10**6)).strip()


def _comment_above(lines: list[str], line: int) -> str:
    """The comment directly above a line, with as much indentation, on one line."""
    indent = len(lines[line]) - len(lines[line].lstrip())
    comment: list[str] = []
    while line > 0 and lines[line - 1].startswith(f"{' ' * indent}#"):
        line -= 1
        comment.insert(0, lines[line].strip().lstrip("#").strip())
    return " ".join(comment)


def _member(mapping: Any, name: str) -> Any:
    return next(value for key, value in mapping.value if key.value == name)


def _wrapped(text: str, first: str = "", rest: str = "") -> str:
    width = min(_WIDTH, shutil.get_terminal_size().columns)
    return "\n".join(
        textwrap.wrap(
            text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
        )
    )
