"""Errors that a user can fix. Commands print them as one line."""


class InputError(ValueError):
    """A value, file or service of the user cannot be used. The message says what to change."""


class MissingPathError(InputError, FileNotFoundError):
    """A path from the user does not exist."""

    def __str__(self) -> str:
        # FileNotFoundError would print its own form with the error number.
        return str(self.args[0])


class FullDiskError(InputError):
    """A disk has no room for the data to be written."""


class StoreAwayError(InputError):
    """The tracking server has not answered for as long as a run waits for it. The work itself did not fail."""


class DivergedError(ArithmeticError):
    """The training loss stopped being a finite number."""


def joined_lines(text: object) -> str:
    """A text, or an error's whole message, on one line."""
    return " ".join(str(text).split())


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or its type if it has no message."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
