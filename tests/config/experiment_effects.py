"""For every key of an experiment but those of its dataset: a change, and what it changes."""

from collections.abc import Callable
from typing import Any

from captcha_exp.config import Config
from tests.config import observables as see
from tests.config.dataset_effects import FOLDER
from tests.config.effects import Effects, Shown, ShownBy


def _by(test: str) -> list[Shown | ShownBy]:
    return [ShownBy(test)]


def _with(observable: Callable[[Config], Any], value: Any, *choices: str) -> list[Shown | ShownBy]:
    """The same change with each of several choices."""
    return [Shown(observable, value, (choice,)) for choice in choices]


MEDIAN = ("sweep.pruner.kind=median", "sweep.pruner.n_warmup_epochs=6")
OWN_TRANSFORMER = (
    *("transformer=none", "transformer.kind=custom", "~transformer.dropout"),
    *("+transformer.builder=own_functions:wide", "+transformer.options={}"),
)
SEQUENCES = ("transformer=pre_norm", "transformer=original", "transformer=lstm", "transformer=none")
OWN_OPTIMIZER = (
    *("optimizer=adam", "optimizer.kind=custom", "+optimizer.builder=own_functions:sgd", "+optimizer.options={}"),
)
CNNS = {
    **{
        kind: (f"cnn={kind}", "cnn.filters=[4,8,8]", "transformer=none")
        for kind in ("compact", "residual", "vgg", "original")
    },
    "custom": ("cnn.kind=custom", "+cnn.builder=own_functions:flat", "cnn.filters=[4]", "transformer=none"),
}
SMALL = (
    "dataset.image_height=16",
    "dataset.image_width=32",
    "cnn.filters=[4,4]",
    "transformer=none",
    "augmentation=none",
    "training.batch_size=3",
    "training.epochs=1",
)
PIXELS = ("dataset.image_height=16", "dataset.image_width=32")

AUGMENTATION: Effects = {
    f"augmentation.{key}": [Shown(see.altered, value, ("augmentation=none", *given))]
    for key, value, given in (
        ("rotation_degrees", 10, ()),
        ("shear_degrees", 10, ()),
        ("scale", 0.3, ()),
        ("translate", 0.2, ()),
        ("brightness", 0.3, ()),
        ("contrast", 0.3, ()),
        ("noise_stddev", 0.1, ()),
        ("erase_probability", 1, ("augmentation.erase_share=0.9", "augmentation.brightness=0.1")),
        ("erase_share", 0.9, ("augmentation.erase_probability=1", "augmentation.brightness=0.1")),
        ("invert_probability", 1, ()),
        ("perspective", 0.4, ()),
        ("bend", 0.3, ()),
        ("recolor_probability", 1, ("dataset.channels=rgb",)),
        ("strokes", 3, ("augmentation.stroke_width=0.2",)),
        ("stroke_width", 0.5, ("augmentation.strokes=9",)),
        ("function", "own_functions:double", ()),
        ("options", {"divisor": 3}, ("augmentation.function=own_functions:double",)),
    )
}

MODEL: Effects = {
    "cnn.kind": [
        Shown(see.graph, "vgg", CNNS["compact"]),
        Shown(see.graph, "residual", CNNS["vgg"]),
        Shown(see.graph, "original", CNNS["compact"], {"cnn.width_stride": None}),
    ],
    "cnn.filters": [Shown(see.graph, [4, 8, 12], given) for kind, given in CNNS.items() if kind != "custom"]
    + [Shown(see.graph, [6], CNNS["custom"])],
    "cnn.width_stride": [Shown(see.graph, 2, given) for kind, given in CNNS.items() if kind != "original"],
    "cnn.blocks": [Shown(see.graph, [0, 2, 1], CNNS["residual"])],
    "cnn.activation": [Shown(see.graph, "elu", given) for given in CNNS.values()],
    "cnn.dropout": [Shown(see.graph, 0.4, given) for given in CNNS.values()],
    "cnn.norm_momentum": [Shown(see.graph, 0.5, given) for given in CNNS.values()],
    "cnn.builder": [Shown(see.graph, "own_functions:plain", CNNS["custom"])],
    "transformer.kind": [
        Shown(see.graph, "lstm", ("transformer=none",), {"transformer.projection_dim": 8, "transformer.depth": 1}),
        Shown(
            see.graph, "none", ("transformer=lstm",), {"transformer.projection_dim": None, "transformer.depth": None}
        ),
    ],
    "transformer.dropout": _with(see.graph, 0.4, *SEQUENCES),
    "transformer.num_heads": _with(see.graph, 2, "transformer=pre_norm", "transformer=original"),
    "transformer.key_dim": [
        Shown(see.graph, 16, ("transformer=pre_norm",)),
        Shown(see.graph, None, ("transformer=original",)),
    ],
    "transformer.projection_dim": _with(see.graph, 32, *SEQUENCES[:3]),
    "transformer.depth": _with(see.graph, 3, *SEQUENCES[:3]),
    "transformer.feed_forward_dim": [Shown(see.graph, 8, ("transformer=pre_norm",))],
    "transformer.activation": [Shown(see.graph, "elu", ("transformer=pre_norm",))],
    "transformer.norm": [Shown(see.graph, "post", ("transformer=pre_norm",))],
    "transformer.position_embedding": [Shown(see.graph, "none", ("transformer=pre_norm",))],
    "transformer.builder": [Shown(see.graph, "own_functions:narrow", OWN_TRANSFORMER)],
    "transformer.options": [Shown(see.graph, {"units": 6}, OWN_TRANSFORMER)],
    "decoding.kind": [Shown(see.read, "beam", ("decoding=greedy",), {"decoding.beam_width": 10})],
    "decoding.knowledge": _with(see.limited, "none", "decoding=greedy", "decoding=beam"),
    "decoding.beam_width": [Shown(see.read, 1, ("decoding=beam",))],
}

_ADAMW, _ADAM = ("optimizer=adamw", "optimizer.weight_decay=0.5"), ("optimizer=adam",)
TRAINING: Effects = {
    "optimizer.kind": [Shown(see.stepped, "adam", _ADAMW, {"optimizer.weight_decay": None})],
    **{
        f"optimizer.{key}": [Shown(see.stepped, value, given) for given in (_ADAMW, _ADAM, OWN_OPTIMIZER)]
        for key, value in {"learning_rate": 0.5, "warmup_share": 0.5, "clip_norm": 0.01}.items()
    },
    "optimizer.schedule": [Shown(see.stepped, "constant", _ADAMW)]
    + [Shown(see.stepped, "cosine", given) for given in (_ADAM, OWN_OPTIMIZER)],
    "optimizer.weight_decay": [Shown(see.stepped, 0.1, _ADAMW)],
    "optimizer.builder": [Shown(see.stepped, "own_functions:rmsprop", OWN_OPTIMIZER)],
    "optimizer.options": [Shown(see.stepped, {"momentum": 0.9}, OWN_OPTIMIZER)],
    "training.epochs": [Shown(see.trained, 2, SMALL)],
    "training.batch_size": [Shown(see.trained, 2, SMALL)],
    "training.minutes": _by(
        "training/test_fit.py::test_minutes_end_a_training_after_a_whole_evaluation_and_its_time_is_kept"
    ),
    "training.auxiliary_ctc": [Shown(see.trained, 0.5, SMALL)],
    "training.unaltered_share": [Shown(see.trained, 1, (*SMALL, "augmentation.brightness=0.3"))],
    "training.members": _by("experiment/test_joint_training.py::test_the_model_of_a_run_is_the_vote_of_its_members"),
    "training.member_data": _by("training/test_member_plan.py::test_with_folds_each_image_is_kept_from_one_member"),
    "training.combine": _by("experiment/test_joint_training.py::test_averaged_members_are_one_network"),
    "training.views": _by("experiment/test_whole_run.py::test_the_finished_model_reads_several_views"),
    "training.distil_weight": _by("training/engines/test_distillation.py::test_the_weight_decides_how_much_is_learnt"),
    "training.ema_decay": [Shown(see.trained, 0.9, SMALL)],
    "training.seed": [Shown(see.trained, 1, SMALL)],
    "training.metrics": [Shown(see.trained, {"lengths": "own_functions:right_lengths"}, SMALL)],
    "training.patience": _by(
        "training/test_fit.py::test_patience_ends_a_training_that_gets_no_better_and_its_best_epoch_is_kept"
    ),
    "training.threads": _by("model/test_threads.py::test_threads_are_set_once_per_process"),
    "training.limit": [Shown(see.learnt_from, 5, FOLDER)],
    "training.use_validation": _by(
        "promote/test_command.py::test_a_refit_trains_each_seed_once_and_takes_the_first_where_nothing_may_choose"
    ),
    "training.initial_model": _by(
        "experiment/test_initial_model.py::test_a_run_can_start_from_a_trained_model_with_another_alphabet"
    ),
    "training.unlabelled": _by(
        "experiment/test_self_training.py::test_each_round_learns_anew_from_what_the_network_is_sure_of"
    ),
    "training.unlabelled_rounds": _by("experiment/test_self_training.py::test_a_killed_run_goes_on_in_its_round"),
    "training.unlabelled_confidence": _by(
        "experiment/test_self_training.py::test_a_network_that_is_sure_of_nothing_keeps_what_it_learnt"
    ),
    "training.resume": _by("experiment/test_checkpoint_folder.py::test_resume_false_begins_anew"),
    "tracking.uri": [Shown(see.stored, "http://127.0.0.1:5000")],
    "tracking.experiment": _by("experiment/test_whole_run.py::test_what_tracking_says_is_what_is_kept"),
    "tracking.run_name": _by("experiment/test_whole_run.py::test_what_tracking_says_is_what_is_kept"),
    "tracking.log_model": _by("experiment/test_whole_run.py::test_what_tracking_says_is_what_is_kept"),
    "tracking.sheet_images": _by("experiment/test_whole_run.py::test_what_tracking_says_is_what_is_kept"),
    "tracking.system_metrics": _by("experiment/test_whole_run.py::test_what_tracking_says_is_what_is_kept"),
    "root": [Shown(see.stored, "elsewhere")],
}

_NAMED = ("sweep.name=s",)
SWEEP: Effects = {
    "sweep.name": [Shown(see.stored, "other", _NAMED)],
    "sweep.storage": [Shown(see.stored, "sqlite:///other.db", _NAMED)],
    "sweep.question": [Shown(see.planned, "does it work?", ("+sweep=smoke",))],
    "sweep.n_trials": [Shown(see.planned, 3, ("+sweep=smoke",))],
    "sweep.repeat_over": _by("experiment/test_repeated_training.py::test_each_repeat_may_have_other_validation_images"),
    "sweep.repeats": _by("sweep/test_repeats.py::test_a_trial_is_the_mean_of_its_repeats_in_all_that_is_written"),
    "sweep.space": [Shown(see.planned, {"transformer.depth": "choice(1, 2)"}, ("+sweep=smoke",))],
    "sweep.workers": _by("sweep/test_outcomes.py::test_three_workers_end_with_the_exact_total_and_everything_written"),
    "sweep.engine": _by("sweep/test_ray_workers.py::test_nodes_come_and_go_in_the_middle_of_a_sweep"),
    "sweep.ray.address": _by("sweep/test_ray_workers.py::test_nodes_come_and_go_in_the_middle_of_a_sweep"),
    "sweep.ray.num_cpus": _by("sweep/test_ray_workers.py::test_a_worker_that_fits_on_no_node_is_refused"),
    "sweep.ray.num_gpus": _by("sweep/test_ray_workers.py::test_a_worker_that_fits_on_no_node_is_refused"),
    "sweep.ray.runtime_env": _by("sweep/test_ray_workers.py::test_ctrl_c_stops_the_workers_and_another_engine_goes_on"),
    "sweep.first": [Shown(see.planned, [], ("+sweep=smoke",))],
    "sweep.warm_start": _by(
        "sweep/test_warm_start.py::test_a_sweep_with_a_warm_start_shows_it_and_counts_its_own_trials_alone"
    ),
    "sweep.constraints": _by("sweep/test_limits.py::test_a_trial_beyond_a_limit_is_shown_as_such_and_is_not_the_best"),
    "sweep.minutes": _by("sweep/test_ends.py::test_a_sweep_ends_after_its_minutes_with_what_it_has"),
    "sweep.target": _by("sweep/test_ends.py::test_the_target_of_the_first_objective_ends_it"),
    "sweep.no_improvement_trials": _by("sweep/test_ends.py::test_trials_that_are_no_better_end_it"),
    "sweep.trial_minutes": _by("sweep/test_outcomes.py::test_a_trial_that_hangs_is_ended_and_recorded"),
    "sweep.report_every_s": _by(
        "sweep/test_live_page.py::test_a_page_is_written_again_and_again_and_once_more_at_its_end"
    ),
    "sweep.on_end": _by("sweep/test_on_end.py::test_a_sweep_tells_its_end_to_a_command_and_reads_as_a_table"),
    "sweep.sampler.kind": [Shown(see.suggested, "random")],
    "sweep.sampler.seed": [Shown(see.suggested, 1)],
    "sweep.sampler.n_startup_trials": [Shown(see.suggested, 2)],
    "sweep.sampler.options": [Shown(see.suggested, {"n_ei_candidates": 2})],
    "sweep.pruner.first_objective": _by(
        "sweep/test_outcomes.py::test_the_first_of_several_objectives_prunes_where_the_user_says_so"
    ),
    "sweep.pruner.options": [Shown(see.pruned, {"n_warmup_steps": 1}, MEDIAN)],
    "sweep.pruner.kind": [Shown(see.pruned, "none")],
    "sweep.pruner.n_startup_trials": [Shown(see.pruned, 0, MEDIAN)],
    "sweep.pruner.n_warmup_epochs": [Shown(see.pruned, 1)],
    "sweep.pruner.reduction_factor": [Shown(see.pruned, 2)],
    "sweep.pruner.patience": [Shown(see.pruned, 8, MEDIAN)],
    "sweep.objectives": [
        Shown(see.planned, [{"metric": "best/val/ctc_loss", "direction": "minimize"}], ("+sweep=smoke",))
    ],
    "sweep.heartbeat_s": [Shown(see.beating, 7)],
    "sweep.max_retries": _by("sweep/test_survival.py::test_a_trial_that_kills_every_worker_is_given_up"),
    "sweep.stop_after_failures": _by("sweep/test_outcomes.py::test_first_trials_that_all_fail_alike_stop_the_sweep"),
}

EXPERIMENT: Effects = {**AUGMENTATION, **MODEL, **TRAINING, **SWEEP}
