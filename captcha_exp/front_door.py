"""`captcha-exp COMMAND ...`: finds the command and hands the rest of the line over to it."""

import sys
from difflib import get_close_matches
from importlib import import_module

from captcha_exp.command_line import exit_code
from captcha_exp.commands import COMMANDS
from captcha_exp.errors import InputError
from captcha_exp.help_page import asks_for_help, choices, help_page, overview, show

_SIGNS = ("-", "+", "~")


def main(without_command: str | None = None) -> int:
    """Run the command that the first argument names. An argument like KEY=VALUE in its place means `train`.

    Args:
        without_command: the command if there is no argument; None lists the commands.
    """
    codes: list[int] = []
    code = exit_code(lambda: codes.append(_opened(sys.argv[1:], without_command)))
    return code or codes[0]


def _opened(arguments: list[str], without_command: str | None) -> int:
    if without_command is None and arguments[:1] in ([], ["help"], ["-h"], ["--help"]):
        show(help_page(arguments[1]) if arguments[1:2] and arguments[1] in COMMANDS else overview())
        return 0
    if arguments[:1] == ["completion"]:
        return _complete(arguments[1:])
    name, rest = _command_of(arguments, without_command or "train")
    if asks_for_help(rest):
        show(help_page(name))
        return 0
    sys.argv[1:] = _with_first_word(name, rest)
    return int(import_module(COMMANDS[name].module).main())


def _complete(arguments: list[str]) -> int:
    """Print what makes bash complete, or for bash itself, how a line can go on."""
    from captcha_exp.completion import BASH, completions

    if len(arguments) == 2 and arguments[0] == "query":
        show("\n".join(completions(arguments[1])))
    elif arguments == ["bash"]:
        show(BASH)
    else:
        raise InputError('Completion is there for bash: type `eval "$(captcha-exp completion bash)"`.')
    return 0


def _command_of(arguments: list[str], otherwise: str) -> tuple[str, list[str]]:
    """The command, and its arguments."""
    if not arguments or arguments[0].startswith(_SIGNS) or "=" in arguments[0]:
        return otherwise, arguments
    name, *rest = arguments
    if name in COMMANDS:
        return name, rest
    near = get_close_matches(name, COMMANDS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"commands are {', '.join(COMMANDS)}."
    raise InputError(f"{name!r} is no command; {hint}")


def _with_first_word(name: str, arguments: list[str]) -> list[str]:
    """The arguments, in which `captcha-exp sweep attention` is `+sweep=attention`, and so on."""
    word = COMMANDS[name].word
    if word and arguments and "=" not in arguments[0] and not arguments[0].startswith(_SIGNS):
        arguments = [f"{word}{arguments[0]}", *arguments[1:]]
    if name == "sweep" and not _is_sweep(arguments):
        raise InputError(
            f"Which sweep? There are {', '.join(choices('sweep'))}; type for example `captcha-exp sweep attention`."
        )
    return arguments


def _is_sweep(arguments: list[str]) -> bool:
    """Whether a sweep is named, or left to a configuration of the user's own."""
    own = {"-m", "--multirun", "--config-name", "-cn", "--shell-completion", "-sc"}
    return any(one.lstrip("+").startswith("sweep=") or one.partition("=")[0] in own for one in arguments)
