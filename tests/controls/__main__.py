"""Take out one control after the other and see the tests that stand for it fail.

    python -m tests.controls [--committed] [--jobs N] [WORD …]

Only controls whose name or file holds one of the words are tried; without a word all are. The tree
as it stands is copied to a temporary folder (`--committed`: as it was last committed), so nothing
here is changed. Ends with 1 if a control could be taken out unnoticed, with 2 if nothing runs.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from xml.etree import ElementTree

from tests.controls import Control, all_controls

ROOT = Path(__file__).parents[2]
PYTEST = "-q -p no:cacheprovider --no-header --tb=line".split()
LONGEST = 600


@dataclass(frozen=True)
class Seen:
    """What became of one test: how often it failed and passed, and the words of a failure."""

    failed: int = 0
    passed: int = 0
    words: str = ""


@dataclass(frozen=True)
class Outcome:
    """`unnoticed` names what did not go as it must; empty when every test noticed."""

    control: Control
    seconds: float
    unnoticed: tuple[str, ...]
    words: str = ""


def main() -> int:
    arguments = _arguments()
    controls = [one for one in all_controls() if _is_meant(one, arguments.words)]
    with _trees(arguments.jobs, committed=arguments.committed) as trees:
        untouched = _failing_untouched(trees, controls)
        if controls and len(untouched) == len(_tests_of(controls)):
            print("No test passes as the tree stands; mend that first.")
            return 2
        for name in untouched:
            print(f"FAILS WITH THE CONTROL IN PLACE  {name}", flush=True)
        with ThreadPoolExecutor(arguments.jobs) as pool:
            outcomes = list(pool.map(lambda one: _shown(_tried(trees, one)), controls))
    unnoticed = [one for one in outcomes if one.unnoticed]
    print(f"\n{len(outcomes) - len(unnoticed)} of {len(outcomes)} controls are seen to be missed.")
    return 1 if unnoticed or untouched else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.controls")
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--committed", action="store_true", help="try what was last committed")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once (2)")
    return parser.parse_args()


def _is_meant(control: Control, words: Sequence[str]) -> bool:
    return not words or any(word in f"{control.name} {control.file}" for word in words)


@contextmanager
def _trees(number: int, *, committed: bool) -> Iterator["Queue[Path]"]:
    """So many copies of the tree to work on; each is taken from the queue and put back."""
    folder = Path(tempfile.mkdtemp(prefix="controls-"))
    try:
        trees: Queue[Path] = Queue()
        for place in range(number):
            tree = folder / str(place)
            tree.mkdir()
            _fill(tree, committed=committed)
            trees.put(tree)
        yield trees
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill(tree: Path, *, committed: bool) -> None:
    if committed:
        with tarfile.open(fileobj=io.BytesIO(_git("archive", "HEAD"))) as archive:
            archive.extractall(tree, filter="data")
        return
    for name in _git("ls-files", "-co", "--exclude-standard").decode().splitlines():
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout


def _failing_untouched(trees: "Queue[Path]", controls: Sequence[Control]) -> list[str]:
    """Tests that prove nothing, because they fail with every control in place."""
    tree = trees.get()
    names = _tests_of(controls)
    # Asked to run one that is not there, pytest would run none of them.
    seen = _run(tree, [name for name in names if _is_in(tree, name)], longest=None)
    trees.put(tree)
    return [name for name in names if seen.get(name, Seen()).failed or name not in seen]


def _tests_of(controls: Sequence[Control]) -> list[str]:
    return sorted({name for control in controls for name in control.tests})


def _is_in(tree: Path, name: str) -> bool:
    path, _, function = name.partition("::")
    return (tree / path).is_file() and f"def {function}(" in (tree / path).read_text()


def _tried(trees: "Queue[Path]", control: Control) -> Outcome:
    tree, began = trees.get(), time.monotonic()
    path = tree / control.file
    whole = path.read_text()
    try:
        if whole.count(control.text) != 1:
            times = whole.count(control.text)
            return Outcome(control, 0, (f"its text stands {times} times in {control.file}",))
        path.write_text(whole.replace(control.text, control.instead))
        seen = _run(tree, control.tests)
    finally:
        path.write_text(whole)
        trees.put(tree)
    unnoticed = tuple(name for name in control.tests if not seen.get(name, Seen()).failed)
    words = next((one.words for one in seen.values() if one.words), "")
    return Outcome(control, time.monotonic() - began, unnoticed, words)


def _run(tree: Path, names: Iterable[str], *, longest: float | None = LONGEST) -> dict[str, Seen]:
    """Run these tests in that tree; {name: what became of it}, nothing for one that did not run.

    Without a control a test may wait for ever, so it is ended after `longest` seconds.
    """
    report = tree / "controls.xml"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pytest", *PYTEST, f"--junitxml={report}", *names]
    environment = os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    where = {"cwd": tree, "env": environment, "timeout": longest}
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(command, **where, capture_output=True, check=False)
    return _read(report, names) if report.exists() else {}


def _read(report: Path, names: Iterable[str]) -> dict[str, Seen]:
    """A failure is one of the test itself: an error while it was set up proves nothing."""
    by_case = {_case_of(name): name for name in names}
    seen: dict[str, Seen] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = by_case.get((case.get("classname", ""), case.get("name", "").partition("[")[0]))
        if name is None or case.find("error") is not None or case.find("skipped") is not None:
            continue
        before, failure = seen.get(name, Seen()), case.find("failure")
        words = "" if failure is None else failure.get("message", "").split("\n")[0][:160]
        seen[name] = Seen(
            before.failed + (failure is not None),
            before.passed + (failure is None),
            before.words or words,
        )
    return seen


def _case_of(name: str) -> tuple[str, str]:
    file, _, test = name.partition("::")
    return file.removesuffix(".py").replace("/", "."), test


def _shown(outcome: Outcome) -> Outcome:
    control = outcome.control
    state = "NOT NOTICED" if outcome.unnoticed else "noticed"
    print(f"{state}  {control.name} ({control.file}) — {control.broken}", flush=True)
    for name in control.tests:
        print(f"    {'?' if name in outcome.unnoticed else '✗'} {name}", flush=True)
    for words in (*(one for one in outcome.unnoticed if one not in control.tests), outcome.words):
        if words:
            print(f"      {words}", flush=True)
    return outcome


if __name__ == "__main__":
    sys.exit(main())
