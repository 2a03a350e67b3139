"""Images of a dataset in the form that a page embeds."""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup
from PIL import Image

from captcha_exp.prepare.audited_samples import AuditedSample
from captcha_exp.reader.image_formats import BadImageError, open_image

_MAX_SIZE_PX = (360, 200)
_QUALITY = 85


@dataclass(frozen=True)
class Picture:
    """A sample with its image as a data URI (None if there is no image) and a line below it."""

    source: Markup | None
    label: str
    name: str
    split: str
    note: str


def picture(sample: AuditedSample, load: Callable[[str], bytes], note: str = "") -> Picture:
    """The picture of a sample. `load` reads its file."""
    return Picture(data_uri(sample.locator, load), sample.label, sample.name, sample.split or "unusable", note)


def data_uri(locator: str, load: Callable[[str], bytes]) -> Markup | None:
    """An image file as a small WebP image in a `data:` address, or None if it cannot be read."""
    try:
        image = viewable(load(locator))
    except BadImageError:
        return None  # the file changed after the audit
    image.thumbnail(_MAX_SIZE_PX)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY)
    return Markup(f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}")


def viewable(data: bytes) -> Image.Image:
    """An image file as a browser can show it: RGB, or RGBA if it has transparent parts, or 8-bit grey.

    Raises:
        BadImageError: it cannot be read.
    """
    try:
        return _eight_bit(open_image(data))
    except BadImageError:
        raise
    except Exception as error:  # damaged bytes make Pillow raise nearly anything
        raise BadImageError(f"not readable as an image ({type(error).__name__})") from error


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode == "I" or image.mode.startswith("I;16"):
        return image.convert("I").point(lambda level: level / 257).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")
