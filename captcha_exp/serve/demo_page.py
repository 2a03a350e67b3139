"""The demo page: it takes pictures and shows their texts, also without internet."""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

# Set these before Gradio is imported, so that no data about a user leaves the machine.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
# Gradio would sum up ten thousand events after each event, for a statistics page that is not served.
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(2**62)

import gradio as gr
from starlette.concurrency import run_in_threadpool

from captcha_exp.errors import InputError
from captcha_exp.foreign_text import visible
from captcha_exp.reader.decoding import Constraint
from captcha_exp.reader.image_formats import BadImageError
from captcha_exp.serve.batcher import Answer, Batcher, ReadOptions, UnansweredError
from captcha_exp.serve.model_holder import ModelHolder
from captcha_exp.serve.reading_html import draw_model, draw_note, draw_problem, draw_reading

_ALTERNATIVES = 4
# Gradio does not say when a browser has left, so reading for a browser stops after this time.
_PATIENCE_S = 20
_TABLE = ["file", "text", "confidence", "problem"]
_Input = TypeVar("_Input", gr.Image, gr.File)
_QUIET = {"api_visibility": "private", "show_progress": "minimal", "trigger_mode": "always_last"}
_NOTHING_YET = '<div class="ce-reading"><p class="ce-note">What is read appears here.</p></div>'


def _picture() -> gr.Image:
    """The input for one picture. It passes on the file's path, because Gradio would decode the file."""
    picture = gr.Image(label="Picture", type="filepath", sources=["upload", "clipboard"], height=220, buttons=[])
    _set(picture, "preprocess", lambda upload: None if upload is None else upload.path)
    return _uploads_alone(picture)


def _uploads_alone(component: _Input) -> _Input:
    """Let a component take only uploads of this page. Otherwise Gradio would fetch any address that it is given."""
    keep = component.async_move_resource_to_block_cache

    async def keep_upload(path: str | Path | None) -> str | None:
        if "://" in str(path):
            raise gr.Error("Only uploaded files are read.", print_exception=False)
        return await keep(path)

    _set(component, "async_move_resource_to_block_cache", keep_upload)
    return component


def _set(component: gr.components.Component, method: str, replaced: Callable[..., Any]) -> None:
    # A subclass would be simpler, but Gradio would write a .pyi file for it into the module's folder.
    setattr(component, method, replaced)


@dataclass(frozen=True)
class _Reader:
    """Handles the page's events."""

    batcher: Batcher
    most_files: int

    async def one(self, path: str | None, *known: str | None) -> str:
        """Read one picture, and draw the result."""
        if path is None:
            return _NOTHING_YET
        try:
            data = await run_in_threadpool(Path(path).read_bytes)
            answer = await self._read([data], known, _ALTERNATIVES, True)
        except (InputError, UnansweredError) as error:
            return draw_problem(str(error))
        except OSError:
            return draw_problem("The upload is no longer kept; choose the picture again.")
        return await run_in_threadpool(draw_reading, answer.model, data, answer.readings[0])

    async def several(self, paths: list[str] | None, *known: str | None) -> tuple[list[list[str]], str]:
        """Read several files. Returns a line for each file, and a summary."""
        if not paths:
            return [], ""
        if len(paths) > self.most_files:
            return [], draw_problem(f"{len(paths)} files at once; at most {self.most_files} are read.")
        try:
            files = [await run_in_threadpool(Path(path).read_bytes) for path in paths]
            answer = await self._read(files, known, 0, False)
        except (InputError, UnansweredError) as error:
            return [], draw_problem(str(error))
        except OSError:
            return [], draw_problem("The uploads are no longer kept; choose the files again.")
        lines = []
        for path, reading in zip(paths, answer.readings, strict=True):
            if isinstance(reading, BadImageError):
                lines.append([visible(Path(path).name), "", "", visible(reading)])
            else:
                lines.append([visible(Path(path).name), visible(reading.text), f"{100 * reading.confidence:.1f} %", ""])
        read = sum(not line[3] for line in lines)
        return lines, draw_note(f"{read} of {len(lines)} files read by {answer.model.name}.")

    async def _read(
        self, files: Sequence[bytes], known: tuple[str | None, ...], alternatives: int, probabilities: bool
    ) -> Answer:
        """Read files without blocking a thread: there are few threads, and others need them."""
        pattern, alphabet, least, most = known
        constraint = Constraint(
            pattern or None, alphabet or None, _length("Fewest characters", least), _length("Most characters", most)
        )
        options = ReadOptions(constraint or None, alternatives, probabilities)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await asyncio.wrap_future(self.batcher.submit(files, options))
        except TimeoutError:
            raise UnansweredError(f"Not read within {_PATIENCE_S} s; try again.") from None


def build_page(batcher: Batcher, models: ModelHolder, most_files: int, examples: Sequence[Path]) -> gr.Blocks:
    """Build the page, not mounted yet.

    Args:
        batcher: reads what is uploaded.
        models: knows the model in use.
        most_files: how many files are read at once.
        examples: image files to try; Gradio copies them.
    """
    reader = _Reader(batcher, most_files)
    with gr.Blocks(analytics_enabled=False, title="captcha_exp") as page:
        gr.Markdown("# Read short text in images")
        model = _drawn()
        page.load(lambda: draw_model(models.current), outputs=model, api_visibility="private", show_progress="hidden")
        with gr.Tab("One picture"), gr.Row(equal_height=False):
            _add_one(reader, examples)
        with gr.Tab("Several files"):
            _add_several(reader)
    return page


def _add_one(reader: _Reader, examples: Sequence[Path]) -> None:
    with gr.Column(scale=2):
        picture = _picture()
        known = _known()
        button = gr.Button("Read", variant="primary")
        if examples:
            gr.Examples([[str(path)] for path in examples], picture, label="Examples", elem_id="ce-examples")
    with gr.Column(scale=3):
        drawn = _drawn(_NOTHING_YET, "ce-result")
    events = [picture.change, button.click, *(part.submit for part in known)]
    gr.on(events, reader.one, [picture, *known], drawn, **_QUIET)


def _add_several(reader: _Reader) -> None:
    files = _uploads_alone(gr.File(label=f"Files, up to {reader.most_files}", file_count="multiple"))
    known = _known()
    button = gr.Button("Read", variant="primary")
    summary = _drawn("", "ce-result")
    table = gr.Dataframe(headers=_TABLE, datatype="str", interactive=False, wrap=True, show_label=False)
    events = [files.change, button.click, *(part.submit for part in known)]
    gr.on(events, reader.several, [files, *known], [table, summary], **_QUIET)


def _length(name: str, typed: str | None) -> int | None:
    if not typed or not typed.strip():
        return None
    try:
        return int(typed)
    except ValueError as error:
        raise InputError(f"{name} must be a number, not {typed!r}.") from error


def _drawn(html: str = "", name: str | None = None) -> gr.Markdown:
    """A place for drawn HTML. It is Markdown, because Gradio's HTML component evaluates templates as JavaScript.

    `reading_html` escapes all texts already. If Gradio cleaned the HTML again, the SVG would lose its size.
    """
    return gr.Markdown(html, latex_delimiters=[], sanitize_html=False, elem_classes=name)


def _known() -> list[gr.Textbox]:
    """The inputs for what the user knows about the text."""
    with gr.Accordion("What is known of the text", open=False):
        pattern = gr.Textbox(label="Pattern", placeholder="[0-9]{6}", info="a regular expression for the whole text")
        alphabet = gr.Textbox(label="Characters", placeholder="0123456789", info="that can occur")
        with gr.Row():
            least = gr.Textbox(label="Fewest characters", placeholder="4", min_width=120)
            most = gr.Textbox(label="Most characters", placeholder="6", min_width=120)
    return [pattern, alphabet, least, most]
