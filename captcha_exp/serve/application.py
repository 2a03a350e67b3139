"""Join all parts that answer requests."""

from collections.abc import Mapping
from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from gradio.routes import App
from starlette.responses import FileResponse

from captcha_exp.config import ServingConfig
from captcha_exp.serve.batcher import Batcher
from captcha_exp.serve.browser_policy import BrowserPolicy
from captcha_exp.serve.demo_page import build_page
from captcha_exp.serve.endpoint import Endpoint, build_api
from captcha_exp.serve.gradio_limits import PageLimits
from captcha_exp.serve.gradio_routes import PAGE_SCRIPT
from captcha_exp.serve.host_and_origin import HostAndOrigin
from captcha_exp.serve.model_holder import ModelHolder
from captcha_exp.serve.prometheus_metrics import ServerMetrics
from captcha_exp.serve.reading_html import STYLE
from captcha_exp.serve.request_limits import MIB, RequestLimits
from captcha_exp.serve.request_router import Front, Switch
from captcha_exp.serve.upload_room import UploadRoom

# The page keeps the size of this many uploads at most, each as large as allowed.
_UPLOADS_KEPT = 32


class Application:
    """The endpoint and the page of one server, with one model holder.

    Attributes:
        front: everything together, as an ASGI application.
    """

    def __init__(self, config: ServingConfig, models: ModelHolder, examples: Mapping[str, bytes], folder: Path) -> None:
        """Join the parts. The files of `examples` (images by name) are written to `folder`."""
        self._batcher = Batcher(models, config.limits.pixels)
        metrics = ServerMetrics(models)
        most_files = config.limits.images_per_request
        page = build_page(self._batcher, models, most_files, _written(examples, folder))
        mounted = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        self._gradio = _mount(page, mounted, config)
        api = build_api(Endpoint(self._batcher, models, metrics, most_files, lambda: limits.busy))
        bounded = PageLimits(mounted, page, most_files)
        self._room = UploadRoom(bounded, folder, int(config.limits.upload_mib * MIB) * _UPLOADS_KEPT)
        limits = RequestLimits(Switch(api, self._room), config.limits, metrics.in_progress.set)
        own = HostAndOrigin(limits, config.host, config.allowed_hosts, config.allowed_origins)
        self.front = Front(BrowserPolicy(own), metrics)

    def end_streams(self) -> None:
        """Close the streams to listening browsers. Call this from the server's own loop."""
        self._gradio.stop_event.set()

    def give_up(self) -> None:
        """Refuse requests that are not read yet."""
        self._batcher.give_up()

    def close(self) -> None:
        """Answer waiting requests, unless that takes long."""
        self._batcher.close()
        self._room.close()


def _mount(page: gr.Blocks, parent: FastAPI, config: ServingConfig) -> App:
    page.queue(max_size=config.limits.concurrent, default_concurrency_limit=config.limits.concurrent, api_open=False)
    script = FileResponse(Path(__file__).with_name("page_access.js"), media_type="text/javascript")
    parent.get(PAGE_SCRIPT)(lambda: script)
    gr.mount_gradio_app(
        parent,
        page,
        path="/",
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=int(config.limits.upload_mib * MIB),
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        css=STYLE,
        head=f'<script src="{PAGE_SCRIPT}"></script>',
    )
    # A launched Gradio reads only its own uploads. A mounted one would read any file of the machine.
    page.has_launched = True
    return next(app for app in (getattr(route, "app", None) for route in parent.routes) if isinstance(app, App))


def _written(examples: Mapping[str, bytes], folder: Path) -> list[Path]:
    paths = [folder / name for name in examples]
    for path, data in zip(paths, examples.values(), strict=True):
        path.write_bytes(data)
    return paths
