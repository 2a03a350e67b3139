"""Inspects every file of a dataset."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from captcha_exp.child_processes import in_chunks
from captcha_exp.dataset.progress import Progress
from captcha_exp.prepare.file_inspection import Damage, Damaged, FileFacts, inspect
from captcha_exp.reader.image import ImageSpec
from captcha_exp.reader.image_formats import BadImageError

# A child process needs about two seconds to import the code that inspects files.
_WORTH_CHILDREN_S = 5.0
Found = list[FileFacts | Damaged]


@dataclass(frozen=True)
class Inspector:
    """Inspects the files of locators. It can be pickled if `load` can."""

    load: Callable[[str], bytes]
    spec: ImageSpec

    def __call__(self, first: int, locators: Sequence[str]) -> Found:
        return [self._one(locator) for locator in locators]

    def _one(self, locator: str) -> FileFacts | Damaged:
        try:
            return inspect(self.load(locator), self.spec)
        except BadImageError as error:  # the bytes of the file cannot be read
            return Damaged(Damage.unreadable, str(error))


def scan(inspector: Inspector, locators: Sequence[str]) -> Found:
    """Inspect all files, in the order of `locators`.

    Args:
        inspector: reads the files.
        locators: the input of the source's loader.
    """
    found: Found = []
    with Progress(len(locators), "audited") as progress:
        for part in in_chunks(inspector, locators, _WORTH_CHILDREN_S):
            found += part
            progress.update(len(found))
    return found
