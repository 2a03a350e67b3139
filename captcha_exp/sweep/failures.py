"""Which trials of a sweep failed, and whether that is a result of the search or a fault."""

from captcha_exp.errors import DivergedError
from captcha_exp.sweep.tally import Tally, TrialOutcome

# A trial whose loss or objective is no number, or which takes longer than allowed, tells something about its values.
NOT_A_NUMBER, TOO_LONG = "is not a number", "it took longer than sweep.trial_minutes="
_RESULTS = (f"{DivergedError.__name__}:", TOO_LONG)


def told_failures(tally: Tally) -> str | None:
    """How many trials failed, and why the first did, in one line; None if none failed."""
    failed = tally.of(TrialOutcome.failed)
    if not failed:
        return None
    return f"{len(failed)} of {len(tally.ended)} trials failed; trial {failed[0].number}: {tally.reason(failed[0])}"


def has_faults(tally: Tally) -> bool:
    """Whether a trial failed for another reason than its values."""
    return any(_is_fault(str(tally.reason(trial))) for trial in tally.of(TrialOutcome.failed))


def _is_fault(reason: str) -> bool:
    return not reason.startswith(_RESULTS) and not reason.endswith(NOT_A_NUMBER)
