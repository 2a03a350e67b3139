"""Images that are too large to be decoded."""

from io import BytesIO

from PIL import Image

from captcha_exp.reader.image import FORMATS, MAX_PIXELS, BadImageError


def pixel_problem(data: bytes, most_pixels: int) -> BadImageError | None:
    """Why an image is too large to be decoded, told from its header; None where it is not."""
    if most_pixels >= MAX_PIXELS:
        return None  # the predictor has the same limit
    try:
        with Image.open(BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
    except Exception:  # the predictor says what is wrong with the file
        return None
    if width * height > most_pixels:
        return BadImageError(f"{width}x{height} is more than {most_pixels} pixels")
    return None
