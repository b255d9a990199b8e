"""What must outlive a power cut, and what only its owner may read."""

import os
from contextlib import suppress
from pathlib import Path

OTHERS = 0o077
"""The bits of a mode that let in anybody but the owner."""


def remember_names(folder: Path) -> None:
    """A new name survives a power cut only when its folder is on disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_private(path: Path) -> None:
    """See that a file is there; a new one is its owner's alone from the start."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def close_to_others(path: Path) -> bool:
    """Let nobody but its owner at a file that is there; says whether others were let in.

    Raises PermissionError for somebody else's.
    """
    with suppress(FileNotFoundError):
        mode = path.stat().st_mode & 0o777
        if mode & OTHERS:
            path.chmod(mode & ~OTHERS)
            return True
    return False
