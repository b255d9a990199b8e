"""Stable placement by the package `matching` of PyPI, to compare with.

It has the name of our own engine, so it is kept in a folder of its own (`make setup` puts it into
`.venv/oracles`) and runs in a process of its own, `bench/packaged_game.py`.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from matching.allocation.candidates import Candidates, Whole
from matching.allocation.theorems import liking_of

GAME = Path(__file__).with_name("packaged_game.py")
FOLDER = Path(sys.prefix) / "oracles"


@dataclass(frozen=True)
class Packaged:
    """`therapist` as `stable` gives it; `seconds` of the processor for setting up the game and
    solving it, `solving` for the latter alone.
    """

    therapist: list[int]
    seconds: float
    solving: float


def stable_by_package(candidates: Candidates, priority: Whole | None = None) -> Packaged:
    asked = {
        "therapist": candidates.therapist.tolist(),
        "liking": liking_of(candidates, priority).tolist(),
        "capacity": candidates.capacity.tolist(),
    }
    environment = {name: os.environ[name] for name in os.environ if name != "PYTHONPATH"}
    with tempfile.TemporaryDirectory() as elsewhere:
        told = subprocess.run(
            [sys.executable, "-P", GAME, FOLDER],
            input=json.dumps(asked),
            cwd=elsewhere,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    if told.returncode or not told.stdout:
        raise RuntimeError(told.stderr[-400:])
    return Packaged(**json.loads(told.stdout))
