"""The commands, and what their help says of each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        module: whose `main()` it is.
        sentence: what it does.
        usage: what follows its name.
        examples: what a person types, without `captcha-exp`.
        values: the files of `conf/` whose keys its help explains, each with the prefix of these keys. A mapping inside
            a file is written FILE:KEY.
        word: what a first word without `=` stands for.
        note: the last line of its help.
    """

    module: str
    sentence: str
    usage: str
    examples: tuple[str, str, str]
    values: tuple[tuple[str, str], ...]
    word: str = ""
    note: str = "Exit code: 0 done, 2 wrong input, 130 after Ctrl-C."


_TRAINING = "captcha_exp.__main__"
COMMANDS = {
    "prepare": Command(
        "captcha_exp.prepare.__main__",
        "Fetches and checks a dataset, and shows on a page what is wrong with its images and labels.",
        "dataset=CHOICE [KEY=VALUE ...]",
        (
            "prepare dataset=folder dataset.path=my_images",
            "prepare dataset=manifest dataset.path=labels.csv audit=false",
            "prepare dataset=folder dataset.path=my_images model=models:/captcha@champion",
        ),
        (
            ("prepare.yaml", ""),
            ("dataset/folder.yaml", "dataset."),
            ("dataset/manifest.yaml", "dataset."),
            ("base/dataset.yaml", "dataset."),
        ),
    ),
    "label": Command(
        "captcha_exp.label.__main__",
        "Shows the images of a folder that are most worth labelling next, on a page to type their labels into.",
        "dataset=folder dataset.path=DIR [KEY=VALUE ...]",
        (
            "label dataset=folder dataset.path=my_images",
            "label dataset=folder dataset.path=my_images table=my_labels.csv retrain_every=100",
            "label dataset=folder dataset.path=my_images dataset.recursive=true test_every=10",
        ),
        (("label.yaml", ""),),
        note="Exit code: 0 after SIGTERM, 2 wrong input, 130 after Ctrl-C.",
    ),
    "train": Command(
        _TRAINING,
        "Trains one recogniser and keeps it, with its figures, in MLflow.",
        "[GROUP=CHOICE ...] [KEY=VALUE ...]",
        (
            "train",
            "train dataset=folder dataset.path=my_images",
            "train dataset=folder dataset.path=my_images +experiment=hard training.epochs=20",
        ),
        (("config.yaml", ""), ("training/standard.yaml", "training."), ("tracking/local.yaml", "tracking.")),
    ),
    "sweep": Command(
        _TRAINING,
        "Searches the best values in many trainings; the same command goes on with a sweep that was interrupted.",
        "NAME [KEY=VALUE ...]",
        (
            "sweep attention",
            "sweep attention dataset=folder dataset.path=my_images sweep.name=mine",
            "sweep architecture sweep.n_trials=40 sweep.minutes=60",
        ),
        (("config.yaml:sweep", "sweep."),),
        word="+sweep=",
        note="Exit code: 0 a trial finished, 1 none did, 2 wrong input, 3 some failed, "
        "4 the tracking server lacks some results, 130 after Ctrl-C, 143 after SIGTERM.",
    ),
    "report": Command(
        "captcha_exp.report.__main__",
        "Writes the report of a sweep, a page that opens from disk.",
        "sweep=NAME [KEY=VALUE ...]",
        ("report sweep=attention", "report 'sweep=[attention,mine]'", "report sweep=mine report.output=mine.html"),
        (("report.yaml", ""),),
        word="sweep=",
    ),
    "promote": Command(
        "captcha_exp.promote.__main__",
        "Makes the best model of a sweep, or of a run, the champion, if it proves better on the test split.",
        "sweep=NAME | run=RUN_ID | rollback=true [KEY=VALUE ...]",
        (
            "promote sweep=attention dry_run=true",
            "promote sweep=attention 'refit.seeds=[1,2,3]' limits.latency_ms=20",
            "promote rollback=true",
        ),
        (("promote.yaml", ""),),
        word="sweep=",
        note="Exit code: 0 judged, whether it was promoted or not, 2 wrong input, 130 after Ctrl-C.",
    ),
    "evaluate": Command(
        "captcha_exp.evaluate.__main__",
        "Judges a model on one split of a dataset.",
        "model=MODEL [dataset=CHOICE] [KEY=VALUE ...]",
        (
            "evaluate model=models:/captcha@champion dataset=folder dataset.path=my_images",
            "evaluate model=models:/captcha@champion dataset=folder dataset.path=other_images split=all",
            "evaluate model=runs:/RUN_ID/model split=validation robustness=false",
        ),
        (("evaluate.yaml", ""),),
    ),
    "predict": Command(
        "captcha_exp.predict.__main__",
        "Reads image files with a trained model, a line a file.",
        "model=MODEL FILE|FOLDER|GLOB|- ... [KEY=VALUE ...]\n\n"
        "What exists is a file, whatever its name, and so is everything after --. Other KEY=VALUE arguments are\n"
        "settings. - takes file names from standard input, one a line.",
        (
            "predict model=models:/captcha@champion my_images/",
            "predict model=models:/captcha@champion 'pattern=[0-9]{6}' one.png two.png",
            "predict model=model.onnx format=csv - < names.txt",
        ),
        (("predict.yaml", ""),),
        note="Exit code: 0 every file was read, 1 some could not be, 2 wrong input, 130 after Ctrl-C.",
    ),
    "export": Command(
        "captcha_exp.export.__main__",
        "Writes a model as a file of ONNX or TensorFlow Lite, and checks that it computes the same.",
        "run=RUN_ID | model=MODEL [KEY=VALUE ...]",
        (
            "export run=RUN_ID",
            "export model=models:/captcha@champion output=champion.onnx",
            "export run=RUN_ID format=tflite output=phone.tflite",
        ),
        (("export.yaml", ""),),
    ),
    "serve": Command(
        "captcha_exp.serve.__main__",
        "Serves a model on a demo page and an HTTP endpoint, to this machine alone unless host= says otherwise.",
        "[KEY=VALUE ...]",
        ("serve", "serve model=runs:/RUN_ID/model port=8000", "serve examples=my_images limits.upload_mib=2"),
        (("serve.yaml", ""),),
        note="Exit code: 0 after SIGTERM, 2 wrong input, 130 after Ctrl-C.",
    ),
    "ui": Command(
        "captcha_exp.ui.__main__",
        "Shows the runs of this folder in MLflow's pages, to this machine alone.",
        "[KEY=VALUE ...]",
        ("ui", "ui port=8080", "ui root=/data/project"),
        (("ui.yaml", ""), ("tracking/local.yaml", "tracking.")),
        note="Exit code: 0 after SIGTERM, 1 if MLflow ends by itself, 2 wrong input, 130 after Ctrl-C.",
    ),
    "relocate": Command(
        "captcha_exp.relocate.__main__",
        "Sets a project right whose folder was moved, renamed or copied.",
        "[root=DIR] [KEY=VALUE ...]",
        ("relocate", "relocate dry_run=true", "relocate root=/data/project"),
        (("relocate.yaml", ""), ("tracking/local.yaml", "tracking.")),
    ),
    "remove": Command(
        "captcha_exp.remove.__main__",
        "Removes a sweep with its runs, models and files for good; it asks first.",
        "sweep=NAME [KEY=VALUE ...]",
        ("remove sweep=mine dry_run=true", "remove sweep=mine", "remove sweep=mine yes=true"),
        (("remove.yaml", ""), ("tracking/local.yaml", "tracking.")),
        word="sweep=",
    ),
}
