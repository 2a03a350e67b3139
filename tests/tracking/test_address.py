"""Which model an address means, in a real store."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from captcha_exp.errors import InputError
from captcha_exp.promote.exclusive import exclusive
from captcha_exp.tracking import Registry, Store, TrackedRun, open_store
from captcha_exp.tracking.address import artifacts_of, registered
from captcha_exp.tracking.alias import resolve_alias
from captcha_exp.tracking.logged_model import model_folder
from captcha_exp.tracking.mlflow_text import metric_key, quoted, storable
from tests.hostile_text import HOSTILE_TEXT
from tests.tracking_choice import tracked_in

NAMES = [
    *("a b", "ü", "漢字", "a%2Fb", "a?b", "a#b", "a@b", "a&b=c", "it's", 'a"b', "`a`", "${a}", "{{a}}", "<b>", "a\\b"),
    *("%", "' OR '1'='1", "a;b", "x" * 250, "--help", "latest", "m-1", "[red]", "=1+1", "a+b", "*"),
]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, dict[str, str]]:
    """A store with a model of each name, whose only file holds that name; and what is another's."""
    store = open_store(tracked_in("addresses"), tmp_path_factory.mktemp("addresses"))
    run_id = store.start_run("trained", {}).run_id
    ids = {}
    for name in [*NAMES, "a", "b"]:
        logged = store.client.create_logged_model(store.experiment_id, "model", source_run_id=run_id)
        folder = tmp_path_factory.mktemp("model")
        (folder / "MLmodel").write_text(f"is: {name!r}")
        store.client.log_model_artifacts(logged.model_id, str(folder))
        registry = Registry(store, name)
        registry.ensure()
        registry.set_alias("champion", registry.register(logged.model_id, run_id, {"of": name}))
        ids[name] = str(logged.model_id)
    return store, ids


@pytest.mark.parametrize("name", NAMES)
def test_an_address_means_the_model_of_exactly_that_name(
    models: tuple[Store, dict[str, str]], name: str, tmp_path: Path
) -> None:
    """MLflow reads an address as a URL: of `models:/a?b/1` it would have looked for a model `a`."""
    store, ids = models
    for form in (f"models:/{name}/1", f"models:/{name}@champion"):
        into = tmp_path / form.rpartition(name)[2].strip("/@")
        into.mkdir()
        folder = model_folder(form, store.uri, into)
        assert (folder / "MLmodel").read_text() == f"is: {name!r}"
    assert resolve_alias(f"models:/{name}@champion", store.uri) == f"models:/{name}/1"
    (version,) = Registry(store, name).versions()
    assert (version.model_id, version.tags["of"]) == (ids[name], name)


@pytest.mark.parametrize(
    "address",
    [
        *("models:/a/1?x", "models:/a/1#x", "models:/a?@champion", "models:/a/1/", "models:/a/1 ", "models:/a /1"),
        *("models:/a/latest", "models:/a/Production", "models:/a", "models:/a/", "models:/@champion", "models:a/1"),
        *("models:/a@", "models:/a@champ?ion", "models:/a@b@", "models:/a/²", "models:/a/-1", "models:/a/1\n"),
        *("models://a/1", "MODELS:/a/1", "models:/b/../a/1", "models:/a%00/1", "models:/a\0/1", "models:/a:b/1"),
        *(
            "models:/m-1?x",
            "models:/m-../a",
            "m-",
            "m-../a",
            "runs:/",
            "runs:/x",
            "runs:/../x",
            "runs:/x/y?z",
            "runs:/'/m",
        ),
        *("http://127.0.0.1:9/hostile", "file:///etc", "s3://x/y", "", " ", "\0", "x" * 5_000, *HOSTILE_TEXT.values()),
    ],
)
def test_any_other_address_is_refused_in_one_line(
    models: tuple[Store, dict[str, str]], address: str, tmp_path: Path
) -> None:
    """Never another model: MLflow took `models:/a/1?x` for version 1 of `a`, and `models:/a/latest` for its last."""
    store, _ = models
    with pytest.raises(InputError, match=r"^model=") as refused:
        model_folder(address, store.uri, tmp_path)
    if address.isprintable():  # what cannot be seen, the terminal's one place makes visible
        assert len(str(refused.value).splitlines()) == 1


def test_an_alias_is_told_from_a_version() -> None:
    found, version = registered("models:/a@b@champion"), registered("models:/a@b/1")
    assert found is not None and version is not None
    assert (found.name, found.version, found.alias) == ("a@b", None, "champion")
    assert (version.name, version.alias) == ("a@b", None)
    assert registered("models:/a@b/champion") is None


def test_a_run_and_a_logged_model_are_found_by_their_ids(models: tuple[Store, dict[str, str]]) -> None:
    store, ids = models
    client = MlflowClient(store.uri, store.uri)
    assert artifacts_of(ids["a"], client) == artifacts_of(f"models:/{ids['a']}", client) == f"models:/{ids['a']}"
    assert artifacts_of("runs:/0123abc/model", client) == "runs:/0123abc/model"


@pytest.mark.parametrize("name", NAMES)
def test_a_promotion_locks_a_model_of_any_name(models: tuple[Store, dict[str, str]], name: str, tmp_path: Path) -> None:
    """The file was named after the whole name in hexadecimal, which is too long for a file system."""
    store, _ = models
    with exclusive(store, Registry(store, name), tmp_path):
        assert store.lock_file is not None
        assert all(len(path.name) < 120 for path in store.lock_file.parent.iterdir())


def test_what_is_logged_may_be_called_anything(store: Store, hostile_text: list[str]) -> None:
    """MLflow refuses most names of metrics, and its databases halves of surrogate pairs: both ended a run."""
    for index, text in enumerate(hostile_text):
        run = TrackedRun(store.client, store.start_run(text or "-", {"tag": text}).run_id)
        run.log_metrics({f"best/val/sequence_accuracy/{text}": index / 100, "other": 1.0})
        run.log_params({"text": text})
        run.set_tags({"again": text})
        run.log_dataset(text, f"/{text}", "0123", {})
        run.log_text(text, "text.txt")
        read = store.client.get_run(run.run_id).data
        assert len(store.client.get_run(run.run_id).info.run_name) <= 250
        assert read.metrics[metric_key(f"best/val/sequence_accuracy/{text}")] == index / 100
        assert read.params["text"] == storable(text, 6_000)
        assert read.tags["tag"] == read.tags["again"] == storable(text, 8_000)


def test_a_metric_keeps_a_name_that_mlflow_takes_and_no_two_share_one() -> None:
    assert metric_key("best/val/sequence_accuracy/a b") == "best/val/sequence_accuracy/a b"
    hostile = [f"best/val/sequence_accuracy/{text}" for text in (*HOSTILE_TEXT.values(), "a?b", "a*b", "..", "a/../b")]
    keys = [metric_key(name) for name in hostile]
    assert len(set(keys)) == len(keys)
    assert max(map(len, keys)) <= 250


def test_conditions_hold_names_with_one_kind_of_quotes() -> None:
    assert quoted("it's") == '"it\'s"'
    assert quoted('a"b') == "'a\"b'"
