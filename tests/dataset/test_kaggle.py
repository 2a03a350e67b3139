"""Kaggle sets through kagglehub's own client, against a loopback server that speaks its protocol."""

import pytest

from tests.dataset.kaggle_server import (
    FOURNIERP,
    MAHMOUD,
    Kaggle,
    Prepare,
    archive,
    fournierp_files,
    image_bytes,
    last_error,
)


def test_a_set_is_fetched_once_and_found_again_without_a_network(kaggle: Kaggle, prepare: Prepare) -> None:
    kaggle.archives[FOURNIERP] = archive(fournierp_files())
    first = prepare("dataset=fournierp")
    assert first.returncode == 0, first.stderr
    assert f"{FOURNIERP}: 50 images, labels from the names of the files, 50 copies in nested folders left out" in (
        first.stdout
    )
    assert "images       40 train, 5 validation, 5 test" in first.stdout
    assert kaggle.requests == [f"GetDataset {FOURNIERP}", f"DownloadDataset {FOURNIERP}", "GET from 0"]
    kaggle.stop()
    again = prepare("dataset=fournierp")
    assert again.returncode == 0, again.stderr
    assert "prepared" not in again.stdout.replace("captcha_exp.prepare", "")


def test_several_sets_are_mixed_and_keep_their_origin(kaggle: Kaggle, prepare: Prepare) -> None:
    kaggle.archives[FOURNIERP] = archive(fournierp_files())
    kaggle.archives[MAHMOUD] = archive({f"images/{500000 + 37 * i}.png": image_bytes(900 + i) for i in range(30)})
    done = prepare("dataset=all", f"dataset.handles=[{FOURNIERP},{MAHMOUD}]")
    assert done.returncode == 0, done.stderr
    assert f"origins      50 {FOURNIERP}, 30 {MAHMOUD}" in done.stdout
    assert "of length 5 (50), 6 (30)" in done.stdout


def test_labels_that_stand_in_a_table_are_found_there(kaggle: Kaggle, prepare: Prepare) -> None:
    files = {f"data/captcha_{i:06d}.png": image_bytes(i) for i in range(40)}
    table = "image_path,solution\n" + "".join(f"data/captcha_{i:06d}.png,{123456 + 7 * i}\n" for i in range(40))
    kaggle.archives[MAHMOUD] = archive({**files, "labels.csv": table.encode(), "readme.csv": b"a,b\n1,2\n"})
    done = prepare("dataset=mahmoudeldebase")
    assert done.returncode == 0, done.stderr
    assert "40 images, labels from the rows of labels.csv" in done.stdout
    assert "40 different, of length 6 (40)" in done.stdout


def test_six_digits_inside_a_longer_name_are_found(kaggle: Kaggle, prepare: Prepare) -> None:
    files = {f"img-{123456 + 7 * i}_x.png": image_bytes(i) for i in range(40)}
    kaggle.archives[MAHMOUD] = archive({**files, "cover.png": image_bytes(99)})
    done = prepare("dataset=mahmoudeldebase", "dataset.max_bad_share=0.1")
    assert "40 different, of length 6 (40)" in done.stdout
    assert f"  {MAHMOUD}/cover.png: the names of the files give it no label" in done.stdout.splitlines()


def test_a_set_without_findable_labels_is_refused_with_where_it_lies(kaggle: Kaggle, prepare: Prepare) -> None:
    kaggle.archives[MAHMOUD] = archive({f"image ({i}).png": image_bytes(i) for i in range(10)})
    error = last_error(prepare("dataset=mahmoudeldebase"))
    assert "No labels were found for the 10 images" in error and "'image (0).png'" in error
    assert "use `dataset=folder` with `dataset.label_pattern`, or `dataset=manifest`" in error


def test_corrupt_files_of_a_set_are_skipped_by_name(kaggle: Kaggle, prepare: Prepare) -> None:
    handle = "bharatnaik111/vtu-university-captchas-with-labels"
    files = {f"captchas/{i:04d}Ab.png": image_bytes(i) for i in range(40)}
    kaggle.archives[handle] = archive({**files, "captchas/2GAUXb.png": b"\x89PNG broken", "captchas/jTxNsr.png": b""})
    assert "2 of 42 files cannot be used (4.8%)" in last_error(prepare("dataset=bharatnaik111"))
    done = prepare("dataset=bharatnaik111", "dataset.max_bad_share=0.05")
    assert f"  {handle}/captchas/jTxNsr.png: the file is empty" in done.stdout.splitlines()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_says_how_to_log_in(kaggle: Kaggle, prepare: Prepare, status: int) -> None:
    kaggle.status = status
    error = last_error(prepare("dataset=fournierp"))
    assert f"Kaggle refused {FOURNIERP} (HTTP {status}): put a token" in error
    assert "KAGGLE_API_TOKEN" in error and "`dataset=folder dataset.path=...`" in error


def test_an_unknown_set_and_a_server_in_trouble_are_told_apart(kaggle: Kaggle, prepare: Prepare) -> None:
    error = last_error(prepare("dataset=fournierp", "dataset.handles=[nobody/nothing]"))
    assert error == "error: Kaggle has no dataset nobody/nothing (HTTP 404); check `dataset.handles`."
    kaggle.status = 503
    assert "Kaggle answered HTTP 503" in last_error(prepare("dataset=fournierp"))


def test_without_a_network_one_line_says_what_to_do(prepare: Prepare) -> None:
    error = last_error(prepare("dataset=fournierp"))
    assert f"Kaggle cannot be reached for {FOURNIERP} (ConnectionError)" in error
    assert "use `dataset=folder dataset.path=...`" in error


@pytest.mark.parametrize("handles", ["[nonsense]", "[a/b,a/b]", "[a/b/versions/x]", "[../b]"])
def test_a_malformed_or_repeated_handle_is_refused(prepare: Prepare, handles: str) -> None:
    error = last_error(prepare("dataset=fournierp", f"dataset.handles={handles}"))
    assert "dataset.handles must be different Kaggle handles like owner/name, not" in error
