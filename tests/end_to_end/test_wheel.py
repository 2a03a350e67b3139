"""The built wheel runs from an empty folder, with nothing of the checkout in reach."""

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_wheel_brings_its_configuration_and_writes_where_it_runs(folder, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(dist), str(REPOSITORY)]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (wheel,) = dist.glob("*.whl")
    environment = tmp_path / "environment"
    venv.create(environment)
    python = environment / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", wheel], check=True, timeout=300)
    # The dependencies are lent, not installed again; as a path of its own this does not lend the editable checkout.
    site = next((environment / "lib").glob("python3*")) / "site-packages"
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")

    empty = tmp_path / "empty"
    empty.mkdir()
    where = [python, "-c", "import captcha_exp; print(captcha_exp.__file__)"]
    origin = subprocess.run(where, cwd=empty, check=True, capture_output=True, text=True).stdout
    assert Path(origin.strip()).is_relative_to(environment)

    assert Path(origin.strip()).with_name("py.typed").is_file()
    listed = subprocess.run([environment / "bin" / "captcha-exp"], cwd=empty, capture_output=True, text=True)
    assert (listed.returncode, listed.stdout.splitlines()[0]) == (0, "captcha-exp COMMAND [KEY=VALUE ...]")

    command = [
        environment / "bin" / "captcha-exp",
        "sweep",
        "smoke",
        *folder.tiny,
        "sweep.n_trials=1",
        "training.epochs=1",
    ]
    command += ["sweep.workers=1"]
    done = subprocess.run(command, cwd=empty, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    assert (empty / "sweeps" / "smoke" / "trials.csv").is_file()
    assert (empty / "mlruns" / "mlflow.db").is_file()
