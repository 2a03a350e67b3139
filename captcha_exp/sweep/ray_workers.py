"""Workers on the nodes of a Ray cluster: each is an actor that runs the same command as a local worker."""

import io
import logging
import os
import queue
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from captcha_exp.config import Config, RayConfig, conf_dir
from captcha_exp.config.conf_folder import PACKAGE_DIR
from captcha_exp.errors import InputError, joined_lines
from captcha_exp.sweep.expression import in_quotes
from captcha_exp.sweep.worker_messages import EXIT_NODE, WorkerOrder
from captcha_exp.sweep.worker_process import own_command

# Ray reads these when it is imported. It would tell its makers how it is used; and a cluster that a sweep starts would
# run code for everybody who reaches its ports. A cluster without tokens takes no notice of this one.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
if "RAY_AUTH_MODE" not in os.environ:
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(16))

import ray
from ray.exceptions import ActorUnavailableError, RayActorError, RayError

_LOOK_S = 1.0
_ANSWER_S = 10
# Variables of this machine that mean the same elsewhere. Those that the command names are carried as well.
_CARRIED = ("CAPTCHA_EXP_", "MLFLOW_", "KERAS_", "TF_", "XLA_", "AWS_")
_NAMED = re.compile(r"\$\{oc\.env:([A-Za-z_]\w*)")


class RayWorkers:
    """Starts them on the cluster. Code and configuration travel with them; packages must be there.

    Attributes:
        description: the cluster, in words for a user.
        cores: how many cores each of them takes of a node, at least one.
    """

    def __init__(self, config: Config, computed: Sequence[str]) -> None:
        """Connect to the cluster, or start one on this machine.

        Args:
            config: the sweep's configuration. Workers use the same `root` on their machines.
            computed: overrides for the workers, which would compute these values differently.

        Raises:
            InputError: there is no such cluster, no node of it can hold a worker, or its machines need servers.
        """
        self._config, self._folder = config.sweep.ray, Path.cwd()
        self.cores = max(1, int(self._config.num_cpus))
        self._arguments = [*own_command(), *computed, f"root={in_quotes(str(config.root_path))}"]
        self._environment = carried_environment(os.environ, self._arguments)
        try:
            self._connect()
            self._code = ray.put(packed_code())
            nodes = [node for node in ray.nodes() if node["Alive"]]
            check_room(self._config, [node["Resources"] for node in nodes])
            check_shared(config, sorted({str(node["NodeManagerHostname"]) for node in nodes}))
        except BaseException:
            self.close()
            raise
        count = f"{len(nodes)} node{'s' if len(nodes) > 1 else ''}"
        self.description: str | None = f"Ray cluster {ray.get_runtime_context().gcs_address}, {count}"

    def start(self, order: WorkerOrder, log_file: Path) -> "RayWorker":
        taken = {"num_cpus": self._config.num_cpus, "num_gpus": self._config.num_gpus}
        actor = _Actor.options(**taken, max_concurrency=2).remote(  # type: ignore[attr-defined]
            self._code, self._arguments, {**self._environment, **order.to_environment()}, str(self._folder)
        )
        return RayWorker(actor, log_file)

    def close(self) -> None:
        ray.shutdown()

    def _connect(self) -> None:
        address = self._config.address or os.environ.get("RAY_ADDRESS") or "local"
        _check_answers(address)
        here: dict[str, Any] = {"include_dashboard": False} if address == "local" else {}
        try:
            ray.init(
                address, runtime_env=self._config.runtime_env, log_to_driver=False, logging_level=logging.ERROR, **here
            )
        except (ConnectionError, ValueError, RuntimeError, RayError) as error:
            raise InputError(f"Ray cannot use sweep.ray.address={address}: {joined_lines(error)}") from error


class RayWorker:
    """An actor whose child process is the worker."""

    def __init__(self, actor: Any, log_file: Path) -> None:
        self._actor, self._log_file = actor, log_file
        self._look = actor.look.remote(_LOOK_S)
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None and ray.wait([self._look], timeout=0)[0]:
            said = b""
            try:
                said, self._code = ray.get(self._look)
            except ActorUnavailableError:
                pass  # Ray has lost the connection, and tries to get it back; if it can't, the actor counts as dead
            except RayActorError as error:
                said, self._code = f"{joined_lines(error)}\n".encode(), EXIT_NODE
            with self._log_file.open("ab") as log:
                log.write(said)
            self._look = self._actor.look.remote(_LOOK_S)
        return self._code

    def terminate(self) -> None:
        self._actor.terminate.remote()

    def kill(self) -> None:
        with suppress(RayError):
            ray.kill(self._actor)  # the worker notices that its standard input has ended


@ray.remote
class _Actor:
    """Runs one worker on a node, and holds what it prints until the supervisor asks for it."""

    def __init__(self, code: bytes, arguments: Sequence[str], environment: Mapping[str, str], folder: str) -> None:
        # Ray would put `working_dir` into a folder that it removes, and that all nodes of one machine write.
        self._code = tempfile.mkdtemp(prefix="captcha-exp-")
        zipfile.ZipFile(io.BytesIO(code)).extractall(self._code)
        path = os.pathsep.join(filter(None, [self._code, os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            env={**os.environ, **environment, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
            cwd=folder if os.path.isdir(folder) else self._code,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._said: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def look(self, wait_s: float) -> tuple[bytes, int | None]:
        """What the worker has printed since the last look, after at most `wait_s`, and its exit code if it ended."""
        self._reader.join(wait_s)
        ended = not self._reader.is_alive()
        return b"".join(self._printed()), self._process.wait() if ended else None

    def terminate(self) -> None:
        self._process.terminate()

    def _read(self) -> None:
        for line in self._process.stdout or ():  # it is a pipe
            self._said.put(line)
        self._process.wait()
        shutil.rmtree(self._code, ignore_errors=True)

    def _printed(self) -> Iterator[bytes]:
        with suppress(queue.Empty):
            while True:
                yield self._said.get_nowait()


def packed_code() -> bytes:
    """This package, Hydra's adapter and the shipped configuration, as a zip archive for other machines."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, name in [
            (PACKAGE_DIR, PACKAGE_DIR.name),
            (PACKAGE_DIR.parent / "hydra_plugins", "hydra_plugins"),
            (conf_dir(), f"{PACKAGE_DIR.name}/conf"),
        ]:
            for path in sorted(folder.rglob("*")):
                inside = f"{name}/{path.relative_to(folder).as_posix()}"
                if path.is_file() and "__pycache__" not in path.parts and inside not in archive.NameToInfo:
                    archive.write(path, inside)
    return packed.getvalue()


def carried_environment(environment: Mapping[str, str], arguments: Sequence[str]) -> dict[str, str]:
    """The variables that a worker needs on another machine."""
    named = set(_NAMED.findall(" ".join(arguments)))
    return {name: value for name, value in environment.items() if name in named or name.startswith(_CARRIED)}


def _check_answers(address: str) -> None:
    """Knock at the door: Ray itself would try for minutes."""
    host, _, port = address.rpartition("://")[2].partition("/")[0].rpartition(":")
    if not port.isdigit():
        return  # `local`, or another of Ray's own words
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()
    except OSError as error:
        raise InputError(
            f"No Ray cluster answers at sweep.ray.address={address}: {joined_lines(error)}; start one with `ray start "
            "--head`, or leave the key out."
        ) from error


def check_room(config: RayConfig, nodes: Sequence[Mapping[str, float]]) -> None:
    """Refuse workers that no node can hold, given the nodes' resources.

    Raises:
        InputError: with what the largest node has.
    """
    wanted = {"CPU": config.num_cpus, "GPU": config.num_gpus}
    if any(all(node.get(kind, 0) >= amount for kind, amount in wanted.items()) for node in nodes):
        return
    most = {kind: max((node.get(kind, 0) for node in nodes), default=0) for kind in wanted}
    raise InputError(
        f"No node of the Ray cluster has room for a worker: sweep.ray.num_cpus={config.num_cpus:g} "
        f"sweep.ray.num_gpus={config.num_gpus:g}; its largest has {most['CPU']:g} CPUs and {most['GPU']:g} GPUs."
    )


def check_shared(config: Config, hosts: Sequence[str]) -> None:
    """Refuse files as stores for several machines, which share none.

    Raises:
        InputError: naming the key.
    """
    needed = {
        "sweep.storage": (config.sweep.storage, "postgresql+psycopg://user@host/database"),
        "tracking.uri": (config.tracking.uri, "http://host:5000"),
    }
    for key, (address, example) in needed.items():
        if len(hosts) > 1 and (address is None or address.startswith(("sqlite:", "file:"))):
            raise InputError(
                f"The Ray cluster has {len(hosts)} machines ({', '.join(hosts)}), and they cannot share the file of "
                f"{key}; set a server, e.g. {key}={example}."
            )
