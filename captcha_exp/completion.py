"""Completion of `captcha-exp` with the Tab key in bash. Hydra knows the keys and choices; the commands are ours."""

import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

from captcha_exp.command_line import hydra_command
from captcha_exp.commands import COMMANDS
from captcha_exp.config import conf_dir
from captcha_exp.help_page import choices

# bash takes = and : for the ends of words, unless somebody has changed that. Then only what follows is replaced.
BASH = r"""_captcha_exp() {
    local line="${COMP_LINE:0:COMP_POINT}"
    local word="${line##*[[:space:]]}" before=""
    mapfile -t COMPREPLY < <("${COMP_WORDS[0]}" completion query "$line" 2>/dev/null)
    [[ $COMP_WORDBREAKS == *=* && $word == *=* ]] && before="${word%"${word##*=}"}"
    [[ $COMP_WORDBREAKS == *:* && $word == *:* ]] && before="${word%"${word##*[=:]}"}"
    COMPREPLY=("${COMPREPLY[@]#"$before"}")
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} != *[=./] ]]; then compopt +o nospace; fi
}
complete -o nospace -o default -F _captcha_exp captcha-exp"""
# Commands that compose an experiment, and so take its groups.
_WITH_GROUPS = {"label", "prepare", "train", "sweep", "evaluate"}


def completions(line: str) -> list[str]:
    """What the last word of a command line can become, as far as it is typed; nothing if only files are left.

    Args:
        line: the line up to the cursor, with the program's name.
    """
    words = line.split()[1:]
    word = "" if not words or line[-1:].isspace() else words.pop()
    if not words:
        found = [name for name in COMMANDS if name.startswith(word)]
        return found or _keys("train", [], word)
    name, rest = (words[0], words[1:]) if words[0] in COMMANDS else ("train", words)
    if not rest and COMMANDS[name].word and "=" not in word:
        named = [sweep for sweep in _sweeps(name) if sweep.startswith(word)]
        if named:
            return named
    first = [f"{COMMANDS[name].word}{one}" if COMMANDS[name].word and "=" not in one else one for one in rest[:1]]
    return _keys(name, [*first, *rest[1:]], word)


def _sweeps(name: str) -> list[str]:
    """The shipped sweeps for `sweep`, for other commands those that have begun in this folder."""
    return choices("sweep") if name == "sweep" else sorted(path.name for path in Path("sweeps").glob("*/"))


def _keys(name: str, before: list[str], word: str) -> list[str]:
    """Hydra's completions of keys, groups and choices."""
    os.environ["COMP_LINE"] = " ".join(["captcha-exp", *before, word])
    printed = StringIO()
    with redirect_stdout(printed):
        hydra_command(lambda composed: None, "config" if name in {"train", "sweep"} else name, ["-sc", "query=bash"])
    return list(_wanted(name, word, printed.getvalue().split()))


def _wanted(name: str, word: str, found: list[str]) -> Iterator[str]:
    groups = {path.name for path in conf_dir().iterdir() if path.is_dir()}
    for found_as in found:
        one = f"{found_as}=" if found_as in groups else found_as  # Hydra leaves = away if there are groups inside
        group = one.lstrip("+").partition("=")[0].partition("/")[0] if one[-1:] in "=/" else ""
        foreign = group in (groups if name not in _WITH_GROUPS else {"base"})
        of_hydra = one.startswith("hydra") and not word.startswith("hydra")
        if one != word and not foreign and not of_hydra:
            yield one
