"""What was looked at in this run, by whichever of its workers."""

import json
from collections.abc import Collection
from pathlib import Path


class Seen:
    """Texts that stand for what was looked at. Each worker adds its own to a file and reads on."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self._file: Path | None = None
        self._read = 0

    def share(self, file: Path) -> None:
        """From now on know what stands in this file, and tell it what is added."""
        self._file, self._read = file, 0
        file.touch()

    def new_of(self, texts: Collection[str]) -> set[str]:
        self._read_on()
        return set(texts) - self._known

    def add(self, texts: Collection[str]) -> None:
        """Say that these were looked at: only when it is done, for others rely on it."""
        self._known.update(texts)
        if self._file and texts:
            with self._file.open("ab", buffering=0) as file:
                file.write(json.dumps(list(texts)).encode() + b"\n")

    def _read_on(self) -> None:
        """What another is just writing counts when its line is whole."""
        if not self._file:
            return
        with self._file.open("rb") as file:
            file.seek(self._read)
            whole, end, _begun = file.read().rpartition(b"\n")
        self._read += len(whole + end)
        for line in whole.splitlines():
            self._known.update(json.loads(line))
