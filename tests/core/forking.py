"""Processes to be killed: copies of this one, which need not begin with a second of imports."""

import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn, TextIO

FAILED = 3


@dataclass
class Copy:
    """A copy of this process at work; `output` is what it prints, on either stream."""

    pid: int
    output: TextIO

    def ask_to_stop(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def was_killed(self) -> bool:
        """`kill -9` it; returns False when it had ended before by itself."""
        os.kill(self.pid, signal.SIGKILL)
        return self.ended() == -signal.SIGKILL

    def ended(self) -> int:
        """Wait for it: 0 when its work was done, and minus the signal that it was killed by."""
        _, status = os.waitpid(self.pid, 0)
        return os.waitstatus_to_exitcode(status)


def copied(work: Callable[[], object], environment: Mapping[str, str]) -> Copy:
    """Start a copy that does this work. The caller has no connection open that the work uses."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _become(work, environment, writing)
    os.close(writing)
    return Copy(pid, os.fdopen(reading))


def _become(work: Callable[[], object], environment: Mapping[str, str], writing: int) -> NoReturn:
    os.environ.clear()
    os.environ.update(environment)
    sys.stdout = sys.stderr = os.fdopen(writing, "w", buffering=1)
    code = FAILED
    try:
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        # Nothing of what the first process has to end may be ended by its copy.
        sys.stdout.flush()
        os._exit(code)
