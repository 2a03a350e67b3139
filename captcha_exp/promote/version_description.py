"""What a registered version says of itself on its page in MLflow."""

from captcha_exp.foreign_text import markdown, markdown_code
from captcha_exp.metrics.intervals import LEVEL, share_interval
from captcha_exp.promote.challenger import Chosen
from captcha_exp.promote.gate import Judgement
from captcha_exp.tracking import Store


def version_description(store: Store, chosen: Chosen, model_id: str, judgement: Judgement) -> str:
    """How well it reads and how sure that is, where it comes from, and how to use it, in Markdown."""
    right, dataset, verdict = judgement.challenger.right, judgement.dataset, judgement.verdict
    interval = share_interval(sum(right), len(right))
    sweep = f" of the sweep {markdown(chosen.sweep)}" if chosen.sweep else ""
    run = f"[{markdown(chosen.run_id)}]({store.run_link(chosen.run_id)})"
    return "\n\n".join(
        [
            f"**{sum(right)} of {len(right)} test images are read right**: {sum(right) / len(right):.1%}, with "
            f"{LEVEL:.0%} confidence {interval.low:.1%} to {interval.high:.1%}. No training and no choice of a "
            "trial has seen these images.",
            # As code: the page of a version shows a backslash before a colon, which other text must have.
            f"{verdict.name.capitalize()}: {markdown_code('; '.join(verdict.reasons))}",
            f"Made by the run {run}{sweep}, on the dataset {markdown(dataset.source_name)}.",
            f"Read images: {markdown_code(f'captcha-exp predict model=models:/{model_id} FILES')}",
        ]
    )
