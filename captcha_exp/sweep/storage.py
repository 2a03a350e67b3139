"""Open the database of a study, and find trials whose worker died."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import optuna
import sqlalchemy as sa
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage
from optuna.storages._rdb.models import TrialModel
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from captcha_exp.config import Config, without_passwords
from captcha_exp.errors import InputError, first_line
from captcha_exp.files import made_whole
from captcha_exp.sweep.paused_trials import KeepsPaused
from captcha_exp.sweep.server_connections import notice_vanished_clients, one_connection
from captcha_exp.sweep.trial_process import is_dead

# Grace, in heartbeats, before a silent trial of another machine counts as lost.
GRACE_BEATS = 4
_SQLITE_WAIT_S = 60
# Errors of a database that worked before and does not answer now.
NO_ANSWER = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError, StorageInternalError)
OnDeath = Callable[[optuna.Study, FrozenTrial], None]
# Names of user attributes of a trial.
PROCESS, DEATHS, REASON, RUN_ID, PROGRESS = "process", "deaths", "reason", "run_id", "progress"
LOSSES = "losses"  # validation losses, by the number of epochs after which a trial may pause
SPANS = "spans"  # when a trial ran before it paused: start and end of each time
CHECKPOINT = "checkpoint"  # the name of the folder with the state of a paused trial
STEPS = "steps"  # that its training took
REPEATS = "repeats"  # run id, metrics, and epochs up to its end, of each repeat that ended
MEAN, STD = "mean", "std"  # of the first objective over the repeats so far
LOSS = "validation_loss"  # of the epoch that was kept; it decides between equal objectives
# Optuna's own name, so that its tools show the history too.
HISTORY = "retry_history"


_of_servers: dict[str, "Storage"] = {}  # by URL: a worker and its jobs share the connections of their process


class Storage(KeepsPaused, RDBStorage):
    """An RDBStorage that notices at once when a worker on this machine dies.

    Optuna alone waits until the heartbeat's grace is over, and never finds a trial that died before its first beat.
    The overridden methods are private to Optuna; `test_job_trial.py` and `test_storage.py` fail if it stops calling.

    Attributes:
        only_first: show a study of several objectives as one of the first objective.
    """

    only_first = False
    _starts: Mapping[int, datetime | None] = MappingProxyType({})  # of the trials that waited at the last look

    def shown(self, on_death: OnDeath, *, only_first: bool) -> Self:
        """The same storage with the same connections, for another use in this process."""
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._starts, other.only_first, other.heartbeat_stale_trial_callback = {}, only_first, on_death
        return other

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        """The directions that Optuna sees."""
        directions = super().get_study_directions(study_id)
        return directions[:1] if self.only_first else directions

    def record_heartbeat(self, trial_id: int) -> None:
        """Store a sign of life. One that the database cannot take is left out: an error would end all later ones."""
        with suppress(*NO_ANSWER):
            super().record_heartbeat(trial_id)

    def _get_trials(
        self, study_id: int, states: Any, included_trial_ids: set[int], trial_id_greater_than: int
    ) -> list[FrozenTrial]:
        """Trials that may have changed. Optuna asks again and again for all that have not ended.

        Where trials pause, most of those wait. They change only when they go on, and then get another start. To ask
        for states and starts alone takes one short statement.
        """
        if states is not None or trial_id_greater_than < 0:
            return super()._get_trials(study_id, states, included_trial_ids, trial_id_greater_than)
        rows = self._states(study_id, trial_id_greater_than)
        starts = {trial_id: start for trial_id, state, start in rows if state is TrialState.WAITING}
        waited = included_trial_ids & starts.keys() & self._starts.keys()
        same = {trial_id for trial_id in waited if starts[trial_id] == self._starts[trial_id]}
        asked = included_trial_ids | {trial_id for trial_id, _, _ in rows if trial_id > trial_id_greater_than}
        trials = super()._get_trials(study_id, None, asked - same, max(asked, default=trial_id_greater_than))
        self._starts = starts  # these are older than what was read, or as old
        return trials

    def _states(self, study_id: int, after: int) -> list[tuple[int, TrialState, datetime | None]]:
        """Id, state and last start of the trials that have not ended, and of all whose id is above `after`."""
        table = TrialModel.__table__.c
        open_or_new = sa.or_(table.state.in_([TrialState.WAITING, TrialState.RUNNING]), table.trial_id > after)
        query = sa.select(table.trial_id, table.state, table.datetime_start)
        with self.engine.connect() as connection:
            found = connection.execute(query.where(table.study_id == study_id, open_or_new))
            return [(row.trial_id, row.state, row.datetime_start) for row in found]

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        """Trials to give up. Hold the study's lock: only then is a trial without a process certainly dead."""
        stale = set(super()._get_stale_trial_ids(study_id))
        for trial in self.get_all_trials(study_id, deepcopy=False, states=(TrialState.RUNNING,)):
            process = trial.user_attrs.get(PROCESS)
            if process is None or is_dead(process):
                stale.add(trial._trial_id)
        return sorted(stale)


def storage_url(config: Config) -> str:
    """The database of the study that `config` configures.

    Raises:
        InputError: `sweep.storage` is no URL of a database that several processes can share.
    """
    return study_url(config.root_path, str(config.sweep.name), config.sweep.storage)


def study_url(root: Path, name: str, storage: str | None) -> str:
    """The database of a study. A relative SQLite path starts at `root`, like every other path.

    Raises:
        InputError: `storage` is no URL of a database that several processes can share.
    """
    if storage is None:
        return f"sqlite:///{root / 'sweeps' / name / 'study.db'}"
    try:
        url = sa.make_url(storage)
    except sa.exc.ArgumentError as error:
        raise InputError(
            f"sweep.storage is {shown(storage)!r}, not a database URL such as postgresql+psycopg://host/name."
        ) from error
    if "@" in (url.host or ""):
        raise InputError("sweep.storage has more than one @; an @ in its user or password is written %40.")
    if url.get_backend_name() != "sqlite":
        return storage
    if url.database in (None, "", ":memory:"):
        raise InputError("sweep.storage is an SQLite database in memory, which workers cannot share; name a file.")
    return url.set(database=str(root / url.database)).render_as_string(hide_password=False)


def written_places(config: Config) -> list[Path]:
    """Where the processes of a sweep write: its folder and, if it is a file, its database."""
    url = sa.make_url(storage_url(config))
    database = [Path(str(url.database))] if url.get_backend_name() == "sqlite" else []
    return [config.root_path / "sweeps" / str(config.sweep.name), *database]


def shown(url: str) -> str:
    """`url` without its password."""
    return str(without_passwords(url))


def open_storage(
    url: str,
    heartbeat_s: int,
    on_death: OnDeath,
    *,
    only_first: bool = False,
) -> Storage:
    """Connect, and make the tables if there are none. Several processes must not do that at the same time.

    Args:
        url: the database.
        heartbeat_s: seconds between two signs of life of a worker.
        on_death: called with each trial that was given up because its worker died.
        only_first: show a study of several objectives as one of the first objective.

    Raises:
        InputError: the database cannot be reached, or was made by an incompatible version.
    """
    if url in _of_servers:
        return _of_servers[url].shown(on_death, only_first=only_first)
    sqlite = sa.make_url(url).get_backend_name() == "sqlite"
    connect_args = {"timeout": _SQLITE_WAIT_S}
    with readable_errors(url), warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # the heartbeat
        if sqlite:
            _make(Path(str(sa.make_url(url).database)))
        storage = Storage(
            url,
            engine_kwargs={"connect_args": connect_args} if sqlite else one_connection(url),
            heartbeat_interval=heartbeat_s,
            grace_period=GRACE_BEATS * heartbeat_s,
            heartbeat_stale_trial_callback=on_death,
        )
    if not sqlite:
        notice_vanished_clients(storage.engine)
        _of_servers[url] = storage
    return storage.shown(on_death, only_first=only_first)


def _make(path: Path) -> None:
    """Make the tables of a database that does not exist yet."""
    if path.exists() and path.stat().st_size:
        return
    with made_whole(path) as partial:
        made = RDBStorage(f"sqlite:///{partial}")
        made.remove_session()
        made.engine.dispose()


@contextmanager
def readable_errors(url: str) -> Iterator[None]:
    """Report an error of the database `url` in one line."""
    try:
        yield
    except RuntimeError as error:
        if "schema" not in str(error):
            raise
        raise InputError(
            f"The study in {shown(url)} was made by an incompatible version of Optuna; choose another `sweep.name`, "
            f"or upgrade it with `optuna storage upgrade --storage {shown(url)}`."
        ) from error
    except (ImportError, sa.exc.NoSuchModuleError) as error:
        raise InputError(
            f"sweep.storage {shown(url)} needs a driver that is not installed ({error}); "
            "for PostgreSQL: pip install 'captcha-exp[postgres]' and postgresql+psycopg://..."
        ) from error
    except (sa.exc.SQLAlchemyError, StorageInternalError) as error:
        cause = getattr(error, "orig", None) or error.__cause__ or error
        raise InputError(
            f"The study's database {shown(url)} cannot be used ({first_line(cause)}); "
            "check `sweep.storage`, and that its server runs or its file is an SQLite database that can be written."
        ) from error


def quiet_optuna() -> None:
    """Keep Optuna's own log off the terminal."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
