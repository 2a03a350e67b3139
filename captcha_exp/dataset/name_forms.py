"""Recognises names of image files of which only a part is the label."""

import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# At least this share of the names must be as a form says, or it is chance.
_ENOUGH = 0.9
_MOST_OF_COPIES = 0.5
_FEWEST = 3
_DENSE = 1.5  # a running number may have gaps: as many as half of the numbers
# As browsers and file managers call a second file of the same name.
_COPIES = (r" ?\([0-9]+\)", r" - (?:Copy|Kopie|copie|copia|Copie)(?: \([0-9]+\))?", " copy(?: [0-9]+)?")
_COPY = f"(?:{'|'.join(_COPIES)})"
_SEPARATORS = ("__", "_", "-", ".", " ")
_UUID = "[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}"
_DIGEST = f"(?:{_UUID}|[0-9]{{10,}}|[0-9a-f]{{16,}}|(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{{8,}})"
WHOLE = "(?P<label>.+)"


@dataclass(frozen=True)
class NameForm:
    """A form of names: the pattern that takes the label out of them, and why it was recognised."""

    pattern: str
    reason: str


def recognised(stems: Sequence[str]) -> NameForm | None:
    """The form of names in which the label is only a part; None if nothing speaks for one.

    A form is recognised by its shares: ` (1)` as file managers write it; a number behind a separator of which half of
    the names exist without it, or that counts 0, 1, 2, ... or 1, 2, 3, ... for each text, or that is the same for all;
    a running number or a digest before or behind the label in nearly all names.
    """
    names = list(dict.fromkeys(stems))
    if len(names) < _FEWEST:
        return None
    return _copies(names) or _parted(names)


def typed(pattern: str) -> str:
    """A label pattern as it is typed in a shell."""
    return shlex.quote(f"dataset.label_pattern={pattern}")


def _copies(names: Sequence[str]) -> NameForm | None:
    """`1234 (1)`, `1234 - Copy`."""
    found = [one for name in names if (one := re.fullmatch(rf"(.+?){_COPY}", name))]
    marked, marked_names = [one[1] for one in found], [one[0] for one in found]
    if not marked:
        return None
    plain = set(names)
    beside = sum(base in plain for base in marked)
    # The brackets occur nowhere else, so they belong to the form and not to the labels.
    elsewhere = sum("(" in re.sub(rf"{_COPY}$", "", name) for name in names)
    if beside < _MOST_OF_COPIES * len(marked) and elsewhere:
        return None
    used = [ending for ending in _COPIES if any(re.fullmatch(f".+?{ending}", name) for name in marked_names)]
    reason = f"{len(marked)} names end as copies do, such as {marked_names[0]!r}"
    return NameForm(f"(?P<label>.+?)(?:{'|'.join(used)})?", reason)


def _parted(names: Sequence[str]) -> NameForm | None:
    tests: tuple[Callable[[Sequence[str], str], NameForm | None], ...] = (_digest, _numbered, _running)
    for separator in _SEPARATORS:
        if sum(separator in name for name in names) == 0:
            continue
        for test in tests:
            found = test(names, separator)
            if found is not None:
                return found
    return _underlined(names)


def _underlined(names: Sequence[str]) -> NameForm | None:
    """A number parted by `_`, in nearly all names or as the only place of `_`: hardly any text has one."""
    behind = [name for name in names if re.fullmatch("[^_]+_{1,2}[0-9]+", name)]
    before = [name for name in names if re.fullmatch("[0-9]+_{1,2}[^_]+", name)]
    alone = all("_" not in name for name in set(names) - set(behind))
    if len(behind) >= _ENOUGH * len(names) or (behind and alone):
        ending = "_{1,2}[0-9]+" if any("__" in name for name in behind) else "_[0-9]+"
        tail = ending if len(behind) == len(names) else f"(?:{ending})?"
        label = WHOLE if len(behind) == len(names) else "(?P<label>.+?)"
        return NameForm(f"{label}{tail}", f"{len(behind)} names end with `_` and a number, such as {behind[0]!r}")
    if len(before) >= _ENOUGH * len(names):
        return NameForm(f"[0-9]+_+{WHOLE}", f"{len(before)} names begin with a number and `_`, such as {before[0]!r}")
    return None


def _numbered(names: Sequence[str], separator: str) -> NameForm | None:
    """`1234_2` beside `1234`, or `1234-0`, `1234-1` for each text."""
    parts = [found for name in names if (found := re.fullmatch(rf"(.+?){re.escape(separator)}([0-9]{{1,4}})", name))]
    if len(parts) < 2:
        return None
    plain = set(names)
    beside = sum(part[1] in plain for part in parts)
    ending = f"{re.escape(separator)}[0-9]+"
    if beside >= _MOST_OF_COPIES * len(parts):
        reason = f"{beside} names are those of other files and {separator!r} with a number, such as {parts[0][0]!r}"
        return NameForm(rf"(?P<label>.+?)(?:{ending})?", reason)
    if len(parts) < _ENOUGH * len(names):
        return None
    numbers = defaultdict(list)
    for part in parts:
        numbers[part[1]].append(int(part[2]))
    counted = sum(len(found) for found in numbers.values() if _counts(found))
    same, most = Counter(int(part[2]) for part in parts).most_common(1)[0]
    several = any(len(found) > 1 for found in numbers.values())
    if counted >= _ENOUGH * len(parts) and several:
        return NameForm(rf"(?P<label>.+){ending}", f"behind each text, a number counts its images: {parts[0][0]!r}")
    if most == len(parts) and same <= 1:
        return NameForm(rf"(?P<label>.+){ending}", f"all names end with {separator}{parts[0][2]}: {parts[0][0]!r}")
    return None


def _counts(numbers: list[int]) -> bool:
    return sorted(numbers) in (list(range(len(numbers))), list(range(1, len(numbers) + 1)))


def _running(names: Sequence[str], separator: str) -> NameForm | None:
    """`0001_abcd` or `abcd_0001`, with a number of its own in each name."""
    mark = re.escape(separator)
    for pattern, number, label in (
        (rf"([0-9]+){mark}(.+)", 1, rf"[0-9]+{mark}{WHOLE}"),
        (rf"(.+){mark}([0-9]+)", 2, rf"{WHOLE}{mark}[0-9]+"),
    ):
        parts = [found for name in names if (found := re.fullmatch(pattern, name))]
        numbers = {int(part[number][-18:]) for part in parts}
        if len(parts) < max(_ENOUGH * len(names), _FEWEST) or len(numbers) < len(parts):
            continue
        if max(numbers) - min(numbers) < _DENSE * len(numbers) and min(numbers) <= len(numbers):
            return NameForm(label, f"each name has a running number, such as {parts[0][0]!r}")
    return None


def _digest(names: Sequence[str], separator: str) -> NameForm | None:
    """`abcd_1699999999` or `abcd_3f2a9c01d4`: a time, a digest or a UUID."""
    mark = re.escape(separator)
    for pattern in (rf"{WHOLE}{mark}{_DIGEST}", rf"{_DIGEST}{mark}{WHOLE}"):
        parts = [found for name in names if (found := re.fullmatch(pattern, name, re.IGNORECASE))]
        lengths = {len(part[0]) - len(part["label"]) for part in parts}
        if len(parts) >= max(_ENOUGH * len(names), _FEWEST) and len(lengths) <= 2:
            plain = (
                rf"{WHOLE}{mark}[0-9A-Fa-f-]{{8,}}"
                if pattern.startswith("(?P")
                else rf"[0-9A-Fa-f-]{{8,}}{mark}{WHOLE}"
            )
            return NameForm(plain, f"each name has a long number or digest, such as {parts[0][0]!r}")
    return None
