"""A sweep, its promotion and the judgement of the champion, each a command as a user types it."""

import json
from pathlib import Path


def test_a_sweep_becomes_a_champion_that_is_judged(folder) -> None:
    sweep = ["+sweep=smoke", "sweep.n_trials=2", "sweep.workers=1", "training.epochs=2"]
    done = folder.run(*folder.tiny, *sweep)
    assert done.returncode == 0, done.stderr
    promoted = folder.run("sweep=smoke", module="captcha_exp.promote")
    assert promoted.returncode == 0, promoted.stderr
    lines = promoted.stdout.splitlines()
    assert lines[0].startswith("challenger: trial-000")
    assert lines[-1] == "promoted: version 1 of captcha is champion"

    judged = folder.run(
        *folder.tiny, "model=models:/captcha@champion", "robustness_images=10", module="captcha_exp.evaluate"
    )
    assert judged.returncode == 0, judged.stderr
    champion = folder.client().get_model_version_by_alias("captcha", "champion")
    run = folder.client().get_run(champion.run_id)
    assert run.data.tags["sweep"] == champion.tags["sweep"] == "smoke"
    path = folder.client().download_artifacts(champion.run_id, "test_evaluation.json", str(folder.path))
    told = json.loads(Path(path).read_text())
    assert told["metrics"]["sequence_accuracy"] == run.data.metrics["test/sequence_accuracy"]
    assert set(told["robustness"]) >= {"images", "clean", "blur", "noise", "jpeg", "rotation"}

    refused = folder.run("sweep=attention", module="captcha_exp.promote")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: sweep=attention is not in the experiment captcha_exp of sqlite:///")
    assert refused.stderr.endswith("; there are smoke.\n")
