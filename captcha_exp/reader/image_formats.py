"""Which image files are read, and how one of them is opened."""

import io
import warnings

from PIL import Image, ImageOps

from captcha_exp.errors import InputError

# The most pixels to decode for one line of text. A larger image is a decompression bomb or the wrong file.
MAX_PIXELS = 2**24
# Real encoders write about ten scans.
MAX_JPEG_SCANS = 200
_JPEG_SCAN = b"\xff\xda"
# The suffixes of the formats that are read.
IMAGE_SUFFIXES = frozenset(
    {
        *("png", "apng", "jpg", "jpeg", "jpe", "jif", "jfif", "pjp", "pjpeg", "gif", "bmp", "dib", "webp"),
        *("tif", "tiff", "ppm", "pgm", "pbm", "pnm", "avif", "avifs"),
    }
)
# The suffixes of pictures in formats that are not read.
OTHER_SUFFIXES = frozenset({"svg", "svgz", "heic", "heif", "jxl", "jp2", "j2k", "psd", "tga", "exr", "pcx"})
# A picture of one line of text is far smaller; reading more would only cost memory.
MAX_FILE_BYTES = 64 * 2**20
# Only raster formats: some of Pillow's other formats start programs (EPS) or render whole documents.
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "AVIF")
# How files of known formats that are not read begin. A HEIC and an AVIF differ in the four bytes after `ftyp`.
_UNREAD = (
    (b"%PDF-", "PDF"),
    (b"8BPS", "PSD"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"v/1\x01", "OpenEXR"),
)
_HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevx", b"mif1", b"msf1")
_SVG_WITHIN = 1024
# `open_image` has a lower limit and refuses the file in one line.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


class BadImageError(InputError):
    """Bytes that cannot be decoded as an image. The message says why, without the file's name."""


def open_image(data: bytes, most_pixels: int = MAX_PIXELS) -> Image.Image:
    """Open an image file and turn it as its EXIF data says, without decoding its pixels if it is refused.

    Raises:
        BadImageError: it is not an image of these formats, or too large.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        unread = _unread_format(data)
        if unread is not None:
            raise BadImageError(f"{unread}, a format that is not read; save it as PNG") from error
        raise BadImageError(f"not an image, of no size, or not one of {', '.join(FORMATS)}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadImageError(f"more than {most_pixels} pixels") from error
    width, height = image.size
    if width * height > most_pixels:
        raise BadImageError(f"{width}x{height} is more than {most_pixels} pixels")
    # Each scan of a progressive JPEG takes as long as the whole image, but an empty scan has hardly any bytes.
    if image.format == "JPEG" and data.count(_JPEG_SCAN) > MAX_JPEG_SCANS:
        raise BadImageError(f"a JPEG of more than {MAX_JPEG_SCANS} scans")
    ImageOps.exif_transpose(image, in_place=True)
    return image


def _unread_format(data: bytes) -> str | None:
    """The name of a known format, by the first bytes of a file."""
    start = data[:_SVG_WITHIN].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"<svg") or (start.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in start):
        return "SVG"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        return "HEIC"
    return next((name for mark, name in _UNREAD if data.startswith(mark)), None)
