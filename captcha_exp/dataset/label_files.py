"""Labels in text files beside the images, `NAME.gt.txt`."""

import os
from collections.abc import Sequence

from captcha_exp.dataset.image_files import ImageFile, read_file
from captcha_exp.dataset.other_files import LABEL_SUFFIX
from captcha_exp.dataset.samples import MAX_LABEL_LENGTH, SkippedFile, shown
from captcha_exp.reader.image_formats import BadImageError

_ENOUGH = 0.9


def has_label_files(files: Sequence[ImageFile]) -> bool:
    """Whether nearly every image has its text beside it."""
    usable = [file for file in files if file.problem is None]
    if not usable or (not os.path.lexists(_text_of(usable[0])) and not os.path.lexists(_text_of(usable[-1]))):
        return False  # do not look for a hundred thousand texts that are not there
    return sum(os.path.lexists(_text_of(file)) for file in usable) >= _ENOUGH * len(usable)


def label_beside(file: ImageFile) -> str | SkippedFile:
    """The one line of the text beside an image, or why there is none."""
    path = _text_of(file)
    if os.path.islink(path):
        return SkippedFile(shown(file.name), f"its {LABEL_SUFFIX} is a link")
    try:
        data = read_file(path)
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except BadImageError as error:
        return SkippedFile(shown(file.name), f"it has no {LABEL_SUFFIX} beside it that can be read ({error})")
    except UnicodeError:
        return SkippedFile(shown(file.name), f"its {LABEL_SUFFIX} is not in UTF-8")
    lines = [line.strip() for line in text[: 4 * MAX_LABEL_LENGTH].splitlines() if line.strip()]
    if len(lines) != 1:
        return SkippedFile(shown(file.name), f"its {LABEL_SUFFIX} has {len(lines)} lines of text instead of one")
    return lines[0]


def _text_of(file: ImageFile) -> str:
    return os.path.splitext(file.path)[0] + LABEL_SUFFIX
