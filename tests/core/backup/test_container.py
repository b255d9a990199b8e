"""A backup file is whole and ours, or not one bit of it is believed."""

import io
import json
import secrets
from itertools import combinations

import pytest

from core.backup import container
from core.backup.container import MAGIC, TAG, SealingFile, opened, read_header
from core.backup.errors import BackupRefused, Damaged, NotABackup, OtherVersion, WrongKey
from core.keeping import MissingKey
from core.sealing import unwrap, wrap

SMALL = 64


class Keeper:
    """One key-encryption key."""

    def __init__(self) -> None:
        self._id, self._key = secrets.token_hex(8), secrets.token_bytes(32)

    def wrap(self, data_key, bound):
        return self._id, wrap(data_key, self._key, bound)

    def unwrap(self, kek, wrapped, bound):
        if kek != self._id:
            raise MissingKey(kek)
        return unwrap(wrapped, self._key, bound)


@pytest.fixture
def keeper():
    return Keeper()


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    """So that a few hundred bytes make many chunks."""
    monkeypatch.setattr(container, "CHUNK", SMALL)


def sealed(data, keeper, number=1):
    file = io.BytesIO()
    id = f"00000000-0000-4000-8000-{number:012}"
    sealing = SealingFile(file, keeper, id=id, made_at="2026-12-01", revision="0001")
    for start in range(0, len(data), 50):
        sealing.write(data[start : start + 50])
    sealing.close()
    return file.getvalue()


def read(file, keeper):
    return b"".join(opened(io.BytesIO(file), keeper))


def parted(file):
    """What stands before the chunks, and the chunks."""
    front = len(read_header(io.BytesIO(file))[1])
    step = SMALL + TAG
    return file[:front], [file[at : at + step] for at in range(front, len(file), step)]


@pytest.mark.parametrize("size", [0, 1, *range(SMALL - 15, SMALL + 5), 3 * SMALL, 1000])
def test_what_went_in_comes_out(keeper, size):
    # Random bytes do not get shorter, so that some of these end exactly with a chunk.
    data = secrets.token_bytes(size)
    assert read(sealed(data, keeper), keeper) == data


def test_no_byte_can_be_changed(keeper):
    file = sealed(secrets.token_bytes(3 * SMALL), keeper)
    for place in range(len(file)):
        changed = bytearray(file)
        changed[place] ^= 1
        with pytest.raises(BackupRefused):
            read(bytes(changed), keeper)


def test_no_end_can_be_cut_off_or_added(keeper):
    file = sealed(secrets.token_bytes(3 * SMALL), keeper)
    for length in range(len(file)):
        with pytest.raises(BackupRefused):
            read(file[:length], keeper)
    for more in (b"\0", file[-SMALL:], file):
        with pytest.raises(Damaged):
            read(file + more, keeper)


def test_chunks_cannot_change_places_or_be_left_out_or_doubled(keeper):
    front, chunks = parted(sealed(secrets.token_bytes(5 * SMALL), keeper))
    assert len(chunks) > 5
    for one, other in combinations(range(len(chunks)), 2):
        swapped = list(chunks)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        with pytest.raises(Damaged):
            read(front + b"".join(swapped), keeper)
    for place in range(len(chunks)):
        for put in ([], [chunks[place]] * 2):
            with pytest.raises(Damaged):
                read(front + b"".join([*chunks[:place], *put, *chunks[place + 1 :]]), keeper)


def test_nothing_can_be_taken_from_another_backup(keeper):
    front, chunks = parted(sealed(secrets.token_bytes(3 * SMALL), keeper, 1))
    other_front, others = parted(sealed(secrets.token_bytes(3 * SMALL), keeper, 2))
    for place in range(len(chunks)):
        with pytest.raises(Damaged):
            read(front + b"".join([*chunks[:place], others[place], *chunks[place + 1 :]]), keeper)
    with pytest.raises(Damaged):
        read(other_front + b"".join(chunks), keeper)


def test_a_wrapped_key_opens_no_other_backup(keeper):
    """Whoever swaps the keys of two headers gets neither."""
    front, chunks = parted(sealed(b"one", keeper, 1))
    other, _ = parted(sealed(b"two", keeper, 2))
    values, taken = header_in(front), header_in(other)
    mixed = with_header(values | {"wrapped": taken["wrapped"]})
    with pytest.raises(Damaged):
        read(mixed + b"".join(chunks), keeper)


def test_without_its_key_a_backup_stays_shut(keeper):
    with pytest.raises(WrongKey):
        read(sealed(b"words", keeper), Keeper())


def test_a_newer_format_is_named_as_such(keeper):
    front, chunks = parted(sealed(b"words", keeper))
    newer = with_header(header_in(front) | {"format": container.FORMAT + 1, "more": "to say"})
    with pytest.raises(OtherVersion):
        read(newer + b"".join(chunks), keeper)


@pytest.mark.parametrize("words", [b"", b"PK\x03\x04", b"SQLite format 3\0", MAGIC[:-1]])
def test_something_else_is_no_backup(keeper, words):
    with pytest.raises(NotABackup):
        read(words + b"\0" * 100 if words else b"", keeper)


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"{}",
        b"null",
        b"\xff",
        b'{"format":"1"}',
        b'{"format":1,"id":[]}',
        b'{"format":1,"id":1,"kek":"","made_at":"","revision":"","wrapped":""}',
    ],
)
def test_a_header_that_says_nothing_sensible_is_damaged(keeper, text):
    with pytest.raises(Damaged):
        read(MAGIC + len(text).to_bytes(4, "big") + text, keeper)


def test_a_header_without_end_is_not_read_into_memory(keeper):
    with pytest.raises(Damaged):
        read(MAGIC + b"\xff\xff\xff\xff" + b" " * 1000, keeper)


def header_in(front):
    return json.loads(front[len(MAGIC) + 4 :])


def with_header(values):
    text = json.dumps(values, sort_keys=True, separators=(",", ":")).encode()
    return MAGIC + len(text).to_bytes(4, "big") + text
