"""A challenger against the champion, from the models to the aliases."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime

from captcha_exp.config import PromotionConfig, to_plain
from captcha_exp.evaluate.evaluation_log import log_test_metrics
from captcha_exp.promote.challenger import Chosen
from captcha_exp.promote.evidence import config_digest, load_challenger, load_version
from captcha_exp.promote.gate import Judgement, Verdict, decide, forced
from captcha_exp.promote.judgement import Judged, champion_test, judge, open_test
from captcha_exp.promote.registry_steps import BuildServable, promotion_steps, run_steps
from captcha_exp.promote.version_description import version_description
from captcha_exp.tracking import LoadedRecogniser, Registry, Store
from captcha_exp.tracking.store import user_name

_log = logging.getLogger(__name__)


class Contest:
    """One challenger against the champion of a registered model, if any. The caller keeps other promotions out."""

    def __init__(self, store: Store, registry: Registry, chosen: Chosen, config: PromotionConfig) -> None:
        """Load both models.

        Args:
            store: where runs and models are.
            registry: the registered model.
            chosen: the challenger's run.
            config: rule and limits.

        Raises:
            InputError: the run has no model, or a model is not the one that store and registry name.
        """
        self._store, self._registry, self._chosen, self._config = store, registry, chosen, config
        self._challenger = load_challenger(store, chosen.run_id)
        self._at = registry.aliases().get("champion")
        self._champion: LoadedRecogniser | None = None
        if self._at is not None:
            self._champion = load_version(store, registry, self._at)
        _log.info("challenger: %s", chosen.reason)

    @property
    def challenger(self) -> LoadedRecogniser:
        """The model that is judged."""
        return self._challenger

    @property
    def is_over(self) -> bool:
        """Whether the challenger is champion already."""
        return self._champion is not None and self._champion.model_id == self._challenger.model_id

    def judge(self) -> Judgement:
        """Read the challenger's test split with both models, and decide.

        Raises:
            InputError: a model cannot be judged fairly on this split.
        """
        config, root = self._config, self._config.root_path
        dataset_config, dataset = open_test(self._challenger, config.dataset, root)
        _log.info("test split: %d images of %s, held out of its training", len(dataset.test), dataset.source_name)
        judged = judge(self._challenger, dataset.test, config.rule, config.limits, limited=True)
        _log.info(_line("challenger", judged))
        opponent = None
        if self._champion is not None:
            same = champion_test(self._champion, dataset_config, root).test
            opponent = judge(self._champion, same, config.rule, config.limits, limited=False)
            _log.info(_line(f"champion (version {self._at})", opponent))
        verdict = decide(judged, opponent, config.rule, config.limits)
        if config.force is not None:
            verdict = forced(verdict, user_name(), config.force)
        for reason in verdict.reasons:
            _log.info("  %s", reason)
        return Judgement(dataset, judged, verdict)

    def record(
        self, judgement: Judgement, on_step: Callable[[str], None], build_servable: BuildServable | None
    ) -> None:
        """Keep the figures on the challenger's run, and apply the verdict to the registry."""
        tags, verdict = self._tags(judgement), judgement.verdict
        self._tell_looks(tags["test.digest"])
        run = self._store.find_run(self._chosen.run_id)
        if run is not None:
            log_test_metrics(
                run,
                judgement.dataset,
                judgement.dataset.test,
                self._challenger.model_id,
                judgement.challenger.metrics,
            )
            comparison = None if verdict.comparison is None else asdict(verdict.comparison)
            run.log_json({**tags, "rule": to_plain(self._config.rule), "comparison": comparison}, "promotion.json")
        steps = promotion_steps(
            self._registry,
            self._challenger.model_id,
            self._chosen.run_id,
            tags,
            promoted=verdict.promoted,
            description=version_description(self._store, self._chosen, self._challenger.model_id, judgement),
            build_servable=build_servable,
        )
        run_steps(steps, on_step)
        self._tell(verdict)

    def _tags(self, judgement: Judgement) -> dict[str, str]:
        challenger, chosen = self._challenger, self._chosen
        dataset, verdict = judgement.dataset, judgement.verdict
        run = self._store.record(chosen.run_id)
        commit = None if run is None else run.data.tags.get("git.commit")
        return {
            "run": chosen.run_id,
            "sweep": chosen.sweep or "",
            "chosen": chosen.reason,
            "config.digest": config_digest(challenger.config),
            "dataset.name": dataset.source_name,
            "dataset.fingerprint": dataset.fingerprint,
            "test.digest": dataset.digest_of(dataset.test),
            "git.commit": commit or "",
            **{f"test/{name}": f"{value:.6g}" for name, value in judgement.challenger.metrics.items()},
            "verdict": verdict.name,
            "reasons": "; ".join(verdict.reasons),
            # Empty if nobody forced it: a version that is judged again loses what an earlier judgement wrote.
            "forced.by": verdict.forced_by or "",
            "forced.why": verdict.forced_why or "",
            "judged.against": self._at or "",
            "judged.at": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def _tell_looks(self, test_digest: str) -> None:
        others = [
            version
            for version in self._registry.versions()
            if version.tags.get("test.digest") == test_digest and version.model_id != self._challenger.model_id
        ]
        if others:
            _log.info(
                "these test images have judged %d other version%s before; each look makes it likelier that one wins by "
                "chance",
                len(others),
                "s" if len(others) > 1 else "",
            )

    def _tell(self, verdict: Verdict) -> None:
        name, aliases = self._registry.name, self._registry.aliases()
        if verdict.promoted:
            before = f"; version {aliases['previous']} is `previous`" if "previous" in aliases else ""
            _log.info("%s: version %s of %s is champion%s", verdict.name, aliases["champion"], name, before)
        else:
            stays = f"version {self._at} stays champion" if self._at else "there is still no champion"
            _log.info("not promoted: version %s of %s is `challenger`, %s", aliases["challenger"], name, stays)


def _line(role: str, judged: Judged) -> str:
    figures = judged.metrics
    line = (
        f"{role}: sequence accuracy {figures['sequence_accuracy']:.4f} (case ignored "
        f"{figures['sequence_accuracy_ignore_case']:.4f}), character error rate {figures['character_error_rate']:.4f}, "
        f"{figures['parameters']:,.0f} parameters"
    )
    if "latency_ms" in figures:
        line += f", {figures['latency_ms']:.2f} ms an image"
    if "robustness/drop" in figures:
        line += f", {figures['robustness/drop']:.4f} lost on altered images"
    return line
