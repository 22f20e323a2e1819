"""What the clients need, installed once under target/conformance: Python environments by pip, programs by npm.

An environment is made again when its requirements change.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOME = HERE.parent / "target" / "conformance"


def python(name: str) -> Path:
    """The interpreter of the environment for requirements/NAME.txt."""
    wanted = HERE / "requirements" / f"{name}.txt"
    place = HOME / name
    interpreter = place / "bin" / "python"
    stamp = place / "requirements.txt"
    if not (stamp.exists() and stamp.read_text() == wanted.read_text()):
        print(f"installing the packages of {name}", flush=True)
        shutil.rmtree(place, ignore_errors=True)
        make_environment(place)
        run([interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted])
        shutil.copy(wanted, stamp)
    return interpreter


def make_environment(place: Path) -> None:
    command = [sys.executable, "-m", "venv", place]
    if subprocess.run(command, capture_output=True).returncode == 0:
        return
    # Debian keeps the module in a package of its own.
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit("python3 cannot make virtual environments: install python3-venv")
    shutil.rmtree(place, ignore_errors=True)
    run(["apt-get", "update", "--quiet"])
    run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "python3-venv"])
    run(command)


def claude_code() -> Path:
    """The native program inside the npm package; it needs no Node of its own, so no install script is run."""
    place = HOME / "node"
    wanted = HERE / "package.json"
    stamp = place / "installed.json"
    if not (stamp.exists() and stamp.read_text() == wanted.read_text()):
        print("installing Claude Code", flush=True)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copy(wanted, place / "package.json")
        quiet = ["--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error"]
        run(["npm", "install", *quiet], cwd=place)
        shutil.copy(wanted, stamp)
    programs = sorted(place.glob("node_modules/@anthropic-ai/claude-code-linux-*/claude"))
    glibc = [program for program in programs if "musl" not in str(program)]
    if not programs:
        sys.exit("Claude Code's package holds no program for this machine")
    return (glibc or programs)[0]


def run(command: list, **options) -> None:
    subprocess.run([str(word) for word in command], check=True, **options)
