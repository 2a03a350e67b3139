"""The errors that a user can mend, which commands print as one line."""


class InputError(ValueError):
    """A value, file or service that the user gave cannot be used; the message says what to change."""


class MissingPathError(InputError, FileNotFoundError):
    """A path that the user gave does not exist."""

    def __str__(self) -> str:
        # FileNotFoundError would print its errno form.
        return str(self.args[0])


class FullDiskError(InputError):
    """A disk has no room for what is to be written."""


class DivergedError(ArithmeticError):
    """The training loss stopped being a finite number."""


def first_line(error: BaseException) -> str:
    """What an error says before it goes on for programmers; its type where it says nothing."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
