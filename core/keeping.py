"""Keeping the key-encryption keys: outside the database, several at once, the last one current.

`KeyKeeper` is the port; `keeper_for(settings)` chooses. Written as text each key is 32 bytes in
base64 after its kind: one `root:` (what HMAC keys derive from, never rotated) and at least one
`key:`. A key's id is a fingerprint of the key, so that an id never means two keys.
"""

import base64
import binascii
import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from flask import Flask, current_app

from core import sealing
from core.config import BadSetting, Settings
from core.disk import OTHERS, remember_names
from core.sealing import KEY_BYTES

OWN_FILE = re.compile(r"[0-9]{4}\.key")


class MissingKey(Exception):
    """A data key was wrapped by a key-encryption key that this installation does not have."""


class KeptElsewhere(Exception):
    """The keys were handed in (KEY_FILE, ENCRYPTION_KEYS), so new ones are added there."""


class KeyKeeper(Protocol):
    """What wraps data keys. One that asks a service or a module of hardware has the same shape."""

    @property
    def makes_keys(self) -> bool:
        """Whether `add` works."""

    def current(self) -> str:
        """The id of the key that wraps from now on."""

    def wrap(self, data_key: bytes, bound: bytes) -> tuple[str, bytes]:
        """The current key's id and the wrapped data key, bound to its row."""

    def unwrap(self, kek: str, wrapped: bytes, bound: bytes) -> bytes:
        """The data key; raises MissingKey or Unreadable."""

    def derived(self, purpose: str) -> bytes:
        """32 bytes for one purpose, the same for the life of the installation."""

    def add(self) -> str:
        """Make a new key and make it current; raises KeptElsewhere."""


@dataclass(frozen=True)
class Keys:
    """`wrapping` is by id, the oldest first; the last one is current."""

    root: bytes
    wrapping: dict[str, bytes]

    @property
    def current(self) -> str:
        return next(reversed(self.wrapping))


class LocalKeeper:
    """Keys in the memory of this process, read again when one is met that is not known yet."""

    def __init__(self, read: Callable[[], Keys], add: Callable[[], None] | None = None) -> None:
        self._read, self._add = read, add
        self._keys = read()

    @property
    def makes_keys(self) -> bool:
        return self._add is not None

    def current(self) -> str:
        # Another process may have made a new one: wrapping is rare, reading a file cheap.
        self._keys = self._read()
        return self._keys.current

    def wrap(self, data_key: bytes, bound: bytes) -> tuple[str, bytes]:
        kek = self.current()
        return kek, sealing.wrap(data_key, self._keys.wrapping[kek], bound)

    def unwrap(self, kek: str, wrapped: bytes, bound: bytes) -> bytes:
        return sealing.unwrap(wrapped, self._wrapping(kek), bound)

    def derived(self, purpose: str) -> bytes:
        return sealing.derive(self._keys.root, purpose)

    def add(self) -> str:
        if self._add is None:
            raise KeptElsewhere
        self._add()
        return self.current()

    def _wrapping(self, kek: str) -> bytes:
        if kek not in self._keys.wrapping:
            self._keys = self._read()
        if kek not in self._keys.wrapping:
            raise MissingKey(kek)
        return self._keys.wrapping[kek]


def install(app: Flask, settings: Settings) -> None:
    app.extensions["key_keeper"] = keeper_for(settings)


def current_keeper() -> KeyKeeper:
    """The keeper of the running application."""
    keeper: KeyKeeper = current_app.extensions["key_keeper"]
    return keeper


def keeper_for(settings: Settings) -> KeyKeeper:
    """The keeper of these settings; raises BadSetting for keys that cannot be used.

    A file of keys that others than its owner may read is such a one, too.
    """
    if settings.encryption_keys:
        return LocalKeeper(lambda: parse(settings.encryption_keys, "ENCRYPTION_KEYS"))
    if settings.key_file:
        path = Path(settings.key_file)
        _require_private("KEY_FILE", path)
        return LocalKeeper(lambda: parse(_text(path, "KEY_FILE"), "KEY_FILE"))
    folder = settings.data_dir / "keys"
    _make_first(folder)
    _require_private("DATA_DIR", folder / "root.key", *_own_files(folder))
    return LocalKeeper(lambda: _in_folder(folder), lambda: _make_next(folder))


def parse(text: str, source: str) -> Keys:
    """Read `root:BASE64 key:BASE64 …`, parted by space or commas; raises BadSetting."""
    words = [word.partition(":") for word in re.split(r"[\s,]+", text.strip())]
    roots = [_decoded(value, source) for kind, _, value in words if kind == "root"]
    wrapping = [_decoded(value, source) for kind, _, value in words if kind == "key"]
    if len(roots) != 1 or not wrapping or len(roots) + len(wrapping) != len(words):
        raise BadSetting(f"{source} must hold one root:… and at least one key:…")
    return Keys(roots[0], {fingerprint(key): key for key in wrapping})


def fingerprint(key: bytes) -> str:
    return hashlib.sha256(b"attune key id\0" + key).hexdigest()[:16]


def _decoded(value: str, source: str) -> bytes:
    try:
        key = base64.b64decode(value, validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise BadSetting(f"{source} holds a key that is not {KEY_BYTES} bytes in base64")
    return key


def _require_private(source: str, *paths: Path) -> None:
    for path in paths:
        # One that cannot be looked at is refused where it is read.
        mode = path.stat().st_mode & 0o777 if path.exists() else 0
        if mode & OTHERS:
            why = f"others than its owner may read or change it (mode {mode:04o})"
            raise BadSetting(f"{source} {path} is not used: {why}; chmod 600 it")


def _text(path: Path, source: str) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        raise BadSetting(f"{source} {path} cannot be read") from None


def _in_folder(folder: Path) -> Keys:
    words = [f"root:{_text(folder / 'root.key', 'DATA_DIR').strip()}"]
    words += [f"key:{_text(path, 'DATA_DIR').strip()}" for path in _own_files(folder)]
    return parse(" ".join(words), str(folder))


def _own_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if OWN_FILE.fullmatch(path.name))


def _make_first(folder: Path) -> None:
    """Both keys, the root before the other; a root that went missing later is never made up."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _own_files(folder):
            for name in ("root.key", "0001.key"):
                _make_key(folder / name)
    except OSError as error:
        raise BadSetting(f"keys cannot be kept in {folder}: {error.strerror}") from None


def _make_next(folder: Path) -> None:
    _make_key(folder / f"{int(_own_files(folder)[-1].stem) + 1:04d}.key")


def _make_key(path: Path) -> None:
    """Written in full before it gets its name: two processes that start at once share one.

    The file is its owner's alone (0600) from its first byte; one that is there stays.
    """
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:
        file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)
    remember_names(path.parent)
