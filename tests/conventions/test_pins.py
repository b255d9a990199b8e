"""What SECURITY.md promises about components holds for the pins."""

import re
import subprocess
from datetime import UTC, datetime, timedelta

from tests.conventions.named import ROOT

PROMISED = re.compile(r"chosen anew at least every (\d+) days")


def test_the_pins_are_no_older_than_promised() -> None:
    """Counted from the last commit of all, so that a copy of long ago does not fail by itself."""
    promised = PROMISED.search((ROOT / "SECURITY.md").read_text())
    assert promised
    age = last_change(".") - last_change("requirements.txt")
    assert age <= timedelta(days=int(promised[1]))


def last_change(path: str) -> datetime:
    asked = ["git", "log", "-1", "--format=%ct", "--", path]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return datetime.fromtimestamp(int(told), UTC)
