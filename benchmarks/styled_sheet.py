"""Draw a picture of the families of dataset=styled.

Run: python -m benchmarks.styled_sheet [--output docs/styles.png] [override ...]
"""

import argparse
import io
import sys
from pathlib import Path

from PIL import Image, ImageDraw

from benchmarks.inputs import composed
from captcha_exp.config import StyledConfig
from captcha_exp.dataset.samples import Source
from captcha_exp.dataset.styled import open_styled
from captcha_exp.dataset.styled.fonts import font_file, load_font

_CELL = (150, 40)
_GAP = 6
_NAME_WIDTH = 80
# A palette keeps the file small. Without it, noise would take megabytes.
_COLORS = 160


def main() -> int:
    """Draw a row of images for each family and save it as PNG."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("docs/styles.png"))
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--rows", type=int, default=2)
    options, overrides = parser.parse_known_args()
    dataset = composed("dataset=styled", *overrides).dataset
    if not isinstance(dataset, StyledConfig):
        parser.error("needs dataset=styled")
    each = options.columns * options.rows
    dataset = dataset.model_copy(update={"size": each * len(dataset.styles)})
    sheet = draw_sheet(open_styled(dataset), sorted(dataset.styles), options.columns, options.rows)
    sheet.quantize(_COLORS, dither=Image.Dither.NONE).save(options.output, optimize=True)
    print(f"{options.output}: {options.output.stat().st_size / 1024:.0f} KiB")
    return 0


def draw_sheet(source: Source, families: list[str], columns: int, rows: int) -> Image.Image:
    """Draw each family's name, then `rows` rows of `columns` images."""
    width, height = (side + _GAP for side in _CELL)
    sheet = Image.new("RGB", (_NAME_WIDTH + columns * width, _GAP + len(families) * rows * height), "lightgrey")
    draw = ImageDraw.Draw(sheet)
    font = load_font(font_file("DejaVuSans", "font"), 14)
    for number, family in enumerate(families):
        top = _GAP + number * rows * height
        draw.text((_GAP, top + height // 3), family, "black", font)
        for place, sample in enumerate(sample for sample in source.samples if sample.origin == family):
            image = Image.open(io.BytesIO(source.load(sample.locator))).convert("RGB")
            image.thumbnail(_CELL)
            corner = (_NAME_WIDTH + place % columns * width, top + place // columns * height)
            sheet.paste(image, corner)
    return sheet


if __name__ == "__main__":
    sys.exit(main())
