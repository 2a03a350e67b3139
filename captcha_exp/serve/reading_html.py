"""Readings as HTML that follows the page's colours."""

import base64
import html

import numpy as np

from captcha_exp.foreign_text import visible
from captcha_exp.reader.image import ImageSpec, decode_image, encode_png
from captcha_exp.reader.image_formats import BadImageError
from captcha_exp.reader.predictor import Reading
from captcha_exp.serve.alignment import align
from captcha_exp.serve.model_holder import Held

STYLE = """
.ce-reading {display: grid; gap: 1rem}
.ce-text, .ce-likely code, .ce-model code {unicode-bidi: isolate}
.ce-text {font: 600 2.2rem/1.2 ui-monospace, monospace; letter-spacing: .08em; overflow-wrap: anywhere}
.ce-text.ce-none {font-size: 1.3rem; letter-spacing: 0; opacity: .7}
.ce-unsure .ce-text {text-decoration: underline dotted 3px #d97706; text-underline-offset: .25em}
.ce-unsure .ce-likely .ce-bar i {background: #d97706}
.ce-unsure .ce-doubt {font-weight: 600; margin: 0}
.ce-note {font-size: .85rem; margin: 0; opacity: .75}
.ce-problem {border-left: 4px solid #dc2626; padding: .5rem .8rem}
.ce-likely {display: grid; grid-template-columns: auto 1fr auto; gap: .3rem .8rem; align-items: center}
.ce-likely code, .ce-model code {font: 1rem ui-monospace, monospace; background: none; border: none; padding: 0}
.ce-bar {height: .6rem; border-radius: .3rem; background: var(--border-color-primary); overflow: hidden}
.ce-bar i {display: block; height: 100%; background: var(--color-accent)}
.ce-share {font-variant-numeric: tabular-nums; text-align: right}
.ce-strip {display: grid; grid-template-columns: 1.6rem minmax(0, 1fr); gap: 3px .4rem; align-items: center}
.ce-strip > b {font: 600 .85rem ui-monospace, monospace; text-align: center}
.ce-strip img {width: 100%; display: block; margin: 0; border-radius: 2px}
.ce-strip svg {width: 100%; height: 1rem; display: block; background: var(--background-fill-secondary)}
.ce-strip rect {fill: var(--color-accent)}
.ce-strip .ce-blank rect {fill: var(--body-text-color-subdued)}
.ce-over {position: relative; height: 1.5rem}
.ce-over span {position: absolute; transform: translateX(-50%); font: 600 1.1rem ui-monospace, monospace}
.ce-model {display: flex; flex-wrap: wrap; gap: .2rem 1.6rem; font-size: .95rem}
.ce-model b, .ce-model code, .ce-likely code {overflow-wrap: anywhere; white-space: normal}
"""
# Classes below this probability at every time step are not drawn, and the number of classes is limited.
_DRAWN_FROM = 0.05
_MOST_DRAWN = 14
# Below this, the text is more likely wrong than right.
_UNSURE_BELOW = 0.5
# Metrics of a model that the page shows, with their names there.
_FIGURES = {
    "sequence_accuracy": "test accuracy",
    "character_error_rate": "character error rate",
}


def escape(text: str) -> str:
    """Escape for HTML in Markdown. Empty lines are removed, because they would end the HTML."""
    return html.escape(text).replace("\r", "&#13;").replace("\n", "&#10;")


def draw_model(held: Held) -> str:
    """One line about the model in use."""
    predictor = held.predictor
    known = {name: predictor.figures[key] for key, name in _FIGURES.items() if key in predictor.figures}
    parts = [
        f"Model <b>{_text(held.name)}</b>",
        *(f"{name} <b>{_share(value)}</b>" for name, value in known.items()),
        f"reads <code>{_text(predictor.characters)}</code>",
        *([] if predictor.decoder.knowledge is None else [f"only {_text(str(predictor.decoder.knowledge))}"]),
        f"computed by {_text(predictor.runtime)}",
    ]
    return f'<div class="ce-model">{"".join(f"<span>{part}</span>" for part in parts)}</div>'


def draw_problem(message: str) -> str:
    """Why there is no reading."""
    return f'<div class="ce-reading"><div class="ce-problem" role="alert">{_text(message)}</div></div>'


def draw_note(line: str) -> str:
    """A line beside what was read."""
    return f'<p class="ce-note">{_text(line)}</p>'


def draw_reading(held: Held, data: bytes, reading: Reading | BadImageError) -> str:
    """Draw text, confidence, alternatives and, if known, the probabilities below the image.

    Args:
        held: the model that read it.
        data: the image file.
        reading: what it read.
    """
    if isinstance(reading, BadImageError):
        return draw_problem(f"This file cannot be read: {reading}")
    text = f'<div class="ce-text">{_text(reading.text)}</div>'
    if not reading.text:
        text = '<div class="ce-text ce-none">no text</div>'
    unsure = reading.confidence < _UNSURE_BELOW
    doubt = f'<p class="ce-doubt">Unsure: {_share(reading.confidence)}. Check it.</p>' if unsure else ""
    likely = "".join(_likely(*one) for one in [(reading.text, reading.confidence), *reading.alternatives])
    strip = ""
    if reading.probabilities is not None:
        strip = _strip(held.predictor.characters, held.predictor.image, data, reading.text, reading.probabilities)
    note = draw_note(f"Read by {held.name}.")
    place = "ce-reading ce-unsure" if unsure else "ce-reading"
    return f'<div class="{place}">{text}{doubt}<div class="ce-likely">{likely}</div>{strip}{note}</div>'


def _text(text: object) -> str:
    """Escape a text. Every text goes through here, as the model, its characters and files may be anybody's."""
    return escape(visible(text))


def _likely(text: str, probability: float) -> str:
    shown = _text(text) or "<i>no text</i>"
    bar = f'<div class="ce-bar" aria-hidden="true"><i style="width:{100 * probability:.1f}%"></i></div>'
    return f'<code>{shown}</code>{bar}<span class="ce-share">{_share(probability)}</span>'


def _share(value: float) -> str:
    """A probability in per cent, never rounded to certainty."""
    percent = 100 * value
    if 99.9 < percent < 100:
        return "&gt; 99.9 %"
    return "&lt; 0.1 %" if 0 < percent < 0.1 else f"{percent:.1f} %"


def _strip(characters: str, spec: ImageSpec, data: bytes, text: str, probabilities: np.ndarray) -> str:
    """Draw the image as the model sees it, the characters above their places, and a row for each class below."""
    steps = len(probabilities)
    image = base64.b64encode(encode_png(decode_image(data, spec))).decode()
    over = ""
    for char, (first, last) in zip(text, align(probabilities, [characters.index(c) + 1 for c in text]), strict=True):
        over += f'<span style="left:{100 * (first + last + 1) / 2 / steps:.2f}%">{_text(char)}</span>'
    rows = "".join(
        _row(characters[label - 1], probabilities[:, label]) for label in _drawn(probabilities, text, characters)
    )
    blank = _row("-", probabilities[:, 0], "nothing", ' class="ce-blank"')
    return (
        f'<div class="ce-strip"><b></b><div class="ce-over">{over}</div>'
        f'<b></b><img alt="the image as the model sees it" src="data:image/png;base64,{image}">{rows}{blank}</div>'
        f'<p class="ce-note">The image as the model sees it. Below it, how likely each character is at each of the '
        f"{steps} steps across; - is nothing.</p>"
    )


def _drawn(probabilities: np.ndarray, text: str, characters: str) -> list[int]:
    """The classes that get a row: those of the text from left to right, then the most likely others."""
    peaks = probabilities.max(0)
    read = list(dict.fromkeys(characters.index(char) + 1 for char in text))
    others = [label for label in np.argsort(-peaks) if label and label not in read and peaks[label] >= _DRAWN_FROM]
    chosen = (read + [int(label) for label in others])[: max(_MOST_DRAWN, len(read))]
    return sorted(chosen, key=lambda label: (int(probabilities[:, label].argmax()), label))


def _row(name: str, shares: np.ndarray, title: str | None = None, attribute: str = "") -> str:
    cells = "".join(
        f'<rect x="{step}" width="1" height="1" fill-opacity="{share:.2f}">'
        f"<title>{_text(title or name)} {_share(float(share))}</title></rect>"
        for step, share in enumerate(shares)
        if share >= 0.005  # nobody can see a paler cell
    )
    drawn = f'viewBox="0 0 {len(shares)} 1" preserveAspectRatio="none" shape-rendering="crispEdges"'
    return f'<b aria-hidden="true">{_text(name)}</b><svg{attribute} aria-hidden="true" {drawn}>{cells}</svg>'
