"""What a run says of itself on its page in MLflow."""

from captcha_exp.dataset import PreparedDataset
from captcha_exp.experiment.trial_handle import TrialHandle
from captcha_exp.foreign_text import markdown, markdown_code
from captcha_exp.tracking import Store


def run_description(store: Store, run_id: str, dataset: PreparedDataset, trial: TrialHandle | None) -> str:
    """What was trained on what, how sure its figures are, and how to use it, in Markdown."""
    train, validation = len(dataset.train), len(dataset.validation)
    model = f"runs:/{run_id}/model"
    judge = markdown_code(f"captcha-exp evaluate model={model}")
    return "\n\n".join(
        [
            f"{_told(store, trial)} on {train:,} images of {markdown(dataset.source_name)}.",
            f"`best/val/...` are figures of the epoch that was kept. The {validation:,} validation images chose it, so "
            f"they flatter the model. Judge it on the test images: {judge}",
            f"Read images: {markdown_code(f'captcha-exp predict model={model} FILES')}",
            f"Let it become the model in use, if it is better: {markdown_code(f'captcha-exp promote run={run_id}')}",
        ]
    )


def _told(store: Store, trial: TrialHandle | None) -> str:
    if trial is None:
        return "A training"
    values = " ".join(f"{key}={value}" for key, value in trial.searched.items())
    chosen = f" with {markdown_code(values)}" if values else ""
    if trial.parent_run_id is None:
        return f"A training{chosen}"
    above = markdown(trial.tags.get("sweep", "the run above"))
    link = f"[{above}]({store.run_link(trial.parent_run_id)})"
    return f"{markdown(trial.name)} of {link}: a training{chosen}"
