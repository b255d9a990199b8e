"""The file of a backup: compressed, then encrypted in chunks. It is whole and ours, or refused.

    magic | length of the header (4 bytes) | header (JSON) | chunks

The chunks follow the STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, "Online
Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015): AES-256-GCM under a
key that belongs to this file alone, the nonce is the chunk's number and whether it is the last,
and the additional data is the hash of everything before the chunks. A chunk that was changed,
moved, left out or taken from another backup does not open, and neither does a shortened end.
"""

import hashlib
import json
import secrets
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.backup.errors import Damaged, NotABackup, OtherVersion, WrongKey
from core.keeping import KeyKeeper, MissingKey
from core.sealing import Unreadable

MAGIC = b"ATTUNE BACKUP\n"
FORMAT = 1
# A header is a few hundred bytes; more is not ours, and is not read into memory.
LONGEST_HEADER = 64 * 1024
CHUNK = 1024 * 1024
TAG = 16
KEY = 32
COMPRESSION = 1


@dataclass(frozen=True)
class Header:
    """What can be read without a key. `made_at` is ISO 8601; `revision` is the schema's."""

    id: str
    made_at: str
    revision: str
    kek: str
    wrapped: str
    format: int = FORMAT


class SealingFile:
    """Takes bytes, writes a backup to `file`. Nothing is whole before `close`."""

    def __init__(
        self, file: IO[bytes], keeper: KeyKeeper, *, id: str, made_at: str, revision: str
    ) -> None:
        key = secrets.token_bytes(KEY)
        kek, wrapped = keeper.wrap(key, _context(id))
        head = _front(Header(id, made_at, revision, kek, wrapped.hex()))
        file.write(head)
        self._file, self._number, self._waiting = file, 0, bytearray()
        self._cipher, self._bond = AESGCM(key), _bond(head)
        self._squeeze = zlib.compressobj(COMPRESSION)

    def write(self, data: bytes) -> None:
        self._take(self._squeeze.compress(data))

    def close(self) -> None:
        self._take(self._squeeze.flush())
        self._put(bytes(self._waiting), last=True)

    def _take(self, squeezed: bytes) -> None:
        """The last chunk must be known as such, so one is kept back until more has come."""
        self._waiting += squeezed
        while len(self._waiting) > CHUNK:
            self._put(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def _put(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last), chunk, self._bond))
        self._number += 1


def read_header(file: IO[bytes]) -> tuple[Header, bytes]:
    """The header and the bytes it stood in. Raises NotABackup, OtherVersion or Damaged."""
    if file.read(len(MAGIC)) != MAGIC:
        raise NotABackup
    length = file.read(4)
    size = int.from_bytes(length, "big")
    text = file.read(size) if len(length) == 4 and size <= LONGEST_HEADER else b""
    if not text or len(text) != size:
        raise Damaged
    return _header_of(text), MAGIC + length + text


def opened(file: IO[bytes], keeper: KeyKeeper) -> Iterator[bytes]:
    """The bytes that went in, piece by piece, each one verified before it is given out.

    Raises WrongKey or Damaged; only the end of the iteration says that nothing is missing.
    """
    header, head = read_header(file)
    cipher, bond = AESGCM(_key_of(header, keeper)), _bond(head)
    expand = zlib.decompressobj()
    for number, (chunk, last) in enumerate(_chunks(file)):
        try:
            plain = cipher.decrypt(_nonce(number, last), chunk, bond)
        except InvalidTag:
            raise Damaged from None
        yield expand.decompress(plain)
    yield expand.flush()


def _chunks(file: IO[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each chunk and whether it is the last: the one after which the file ends."""
    chunk = file.read(CHUNK + TAG)
    while True:
        following = file.read(CHUNK + TAG)
        if len(chunk) < TAG:
            raise Damaged
        yield chunk, not following
        if not following:
            return
        chunk = following


def _key_of(header: Header, keeper: KeyKeeper) -> bytes:
    try:
        return keeper.unwrap(header.kek, bytes.fromhex(header.wrapped), _context(header.id))
    except MissingKey:
        raise WrongKey from None
    except (Unreadable, ValueError):
        raise Damaged from None


def _front(header: Header) -> bytes:
    text = json.dumps(asdict(header), sort_keys=True, separators=(",", ":")).encode()
    return MAGIC + len(text).to_bytes(4, "big") + text


def _header_of(text: bytes) -> Header:
    values = _values(text)
    if isinstance(values.get("format"), int) and values["format"] > FORMAT:
        raise OtherVersion
    try:
        header = Header(**values)
    except TypeError:
        raise Damaged from None
    words = (value for name, value in values.items() if name != "format")
    if header.format != FORMAT or not all(isinstance(word, str) for word in words):
        raise Damaged
    return header


def _values(text: bytes) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except ValueError:
        raise Damaged from None
    if not isinstance(values, dict):
        raise Damaged
    return values


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _bond(head: bytes) -> bytes:
    """Binds the chunks to the header they were written after."""
    return hashlib.sha256(head).digest()


def _context(id: str) -> bytes:
    """Binds a wrapped key to its backup."""
    return b"attune backup " + id.encode()
