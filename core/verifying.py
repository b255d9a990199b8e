"""Checks what the ledger gives out, offline: exports, and signed copies of consents.

    python -m core.verifying FILE [--key PUBLIC]... [--since OLDER]

Needs the standard library and `cryptography` alone, and of Attune only core/canonical.py,
core/merkle.py and core/copies.py. Exit code 0: it holds; 1: it does not, and where; 2: unreadable.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core import copies
from core.canonical import (
    CHAIN_START,
    KEY_ANNOUNCED,
    LEDGER,
    VERSION,
    canonical,
    chained,
    checkpoint_statement,
    key_id,
    key_statement,
    parsed,
    sealed_leaf,
    unhexed,
)
from core.merkle import Frontier, includes

LONGEST_LINE = 1_000_000
LONGEST_COPY = 20_000_000
MALFORMED = (LookupError, TypeError, ValueError, AttributeError)


class Unreadable(Exception):
    """Not a file of ours at all, or a key that is none."""


class Broken(Exception):
    """It does not hold. The message says where, and what is wrong there."""


@dataclass(frozen=True)
class Checkpoint:
    """What the installation signed: the first `size` acts, in this order, and no others."""

    at: str
    size: int
    root: bytes
    chain: bytes
    key: str
    signature: bytes

    @classmethod
    def read(cls, given: Any) -> "Checkpoint":
        """From JSON; raises ValueError or the like for anything that is not exactly one."""
        size = given["size"]
        if type(size) is not int or size < 0 or not isinstance(given["at"], str):
            raise ValueError("a size is a whole number, a time is text")
        root, chain = unhexed(given["root"], 32), unhexed(given["chain"], 32)
        signature = unhexed(given["signature"], 64)
        checkpoint = cls(given["at"], size, root, chain, given["key"], signature)
        if checkpoint.plain != given:
            raise ValueError("there is more in it than a checkpoint")
        return checkpoint

    @property
    def plain(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "chain": self.chain.hex(),
            "key": self.key,
            "root": self.root.hex(),
            "signature": self.signature.hex(),
            "size": self.size,
        }


@dataclass
class Trust:
    """Public keys by id: those that were given, and what they vouch for.

    Without a given key the ledger's own first one is taken at its word (`is_given` is False): a
    file then only proves that nobody without *some* key has changed it.
    """

    known: dict[str, bytes]
    is_given: bool

    @classmethod
    def in_keys(cls, keys: Iterable[bytes]) -> "Trust":
        known = {key_id(key): key for key in keys}
        return cls(known, bool(known))

    def hear(self, act: Any) -> None:
        """Learn a key that a known one announces; raises Broken for a false announcement."""
        facts = act["facts"]
        public, signature = unhexed(facts["public"], 32), unhexed(facts["signature"], 64)
        signer = self.known.get(facts["signed_by"])
        if signer is None and not self.known and facts["signed_by"] == key_id(public):
            signer = public
        if signer is None:
            return
        if not is_signed(signer, signature, key_statement(public)):
            raise Broken("it announces a key, but the signature on it is false")
        self.known[key_id(public)] = public

    def require(self, checkpoint: Checkpoint) -> None:
        """Raise Broken unless a known key has signed this checkpoint."""
        public = self.known.get(checkpoint.key)
        if public is None:
            whose = "the given key does" if self.is_given else "the ledger's own first key does"
            raise Broken(f"it is signed with key {checkpoint.key}, which {whose} not vouch for")
        if not is_signed(public, checkpoint.signature, checkpoint_statement(checkpoint.plain)):
            raise Broken("the signature on size and root is false")


@dataclass(frozen=True)
class Verified:
    """What holds. `words` is a sentence for a person."""

    words: str
    checkpoint: Checkpoint
    is_key_given: bool


@dataclass
class _Ledger:
    """An export as far as it has been read."""

    frontier: Frontier = field(default_factory=Frontier)
    chain: bytes = CHAIN_START

    def add(self, line: bytes, trust: Trust) -> None:
        given = parsed(line)
        act = given["entry"]
        if set(given) != {"chain", "entry"}:
            raise ValueError("there is more on the line than an act and its chain")
        number = self.frontier.size + 1
        if act["seq"] != number:
            raise Broken(f"act {number} should stand here, but it is act {act['seq']}")
        leaf = sealed_leaf(act)
        self.chain = chained(self.chain, leaf)
        if given["chain"] != self.chain.hex():
            raise Broken(f"act {number} is not what was chained here")
        self.frontier.append(leaf)
        if act["action"] == KEY_ANNOUNCED:
            trust.hear(act)


def verify(file: BinaryIO, keys: Sequence[bytes] = (), since: Checkpoint | None = None) -> Verified:
    """Check an export or a copy of a consent; raises Unreadable or Broken.

    `keys` are public keys (32 bytes each) known from elsewhere, `since` a checkpoint of an older
    export that must be the beginning of this one.
    """
    first = file.readline(LONGEST_LINE)
    if _looks_like_a_copy(first):
        return _verify_copy(first + file.read(LONGEST_COPY), keys)
    second = file.readline(LONGEST_LINE)
    if not any(map(_looks_like_a_ledger, (first, second))):
        raise Unreadable("this is neither an export of a ledger nor a copy of a consent")
    return _verify_lines(_lines([first, second], file), keys, since)


def checkpoint_of(file: BinaryIO) -> Checkpoint:
    """The signed checkpoint at the opening of an export; raises Unreadable."""
    try:
        return _opening(file.readline(LONGEST_LINE).removesuffix(b"\n"))
    except MALFORMED:
        raise Unreadable("this does not open like an export of a ledger") from None


def public_keys(given: str) -> list[bytes]:
    """Keys from 64 hex digits, or from a file: hex, PEM, or what an installation publishes.

    Raises Unreadable.
    """
    with suppress(ValueError):
        return [unhexed(given.strip().lower(), 32)]
    try:
        return _keys_in(Path(given).read_bytes())
    except (OSError, *MALFORMED):
        raise Unreadable(f"{given} is neither a public key nor a file with one") from None


def is_signed(public: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _arguments(arguments)
    try:
        print(report(asked.file, asked.key, asked.since))
    except Broken as broken:
        print(f"BROKEN: {broken}")
        return 1
    except Unreadable as unreadable:
        print(f"verify: {unreadable}", file=sys.stderr)
        return 2
    return 0


def report(path: str, given_keys: Sequence[str] = (), since: str | None = None) -> str:
    """Verify the file at `path`; gives the sentences to say. Raises Unreadable or Broken."""
    keys = [key for given in given_keys for key in public_keys(given)]
    try:
        with Path(path).open("rb") as file:
            verified = verify(file, keys, _older(since, keys) if since else None)
    except OSError as error:
        raise Unreadable(f"{error.filename} cannot be read: {error.strerror}") from None
    if verified.is_key_given:
        return f"{verified.words} Signed with the given key."
    return (
        f"{verified.words} Signed with key {verified.checkpoint.key}, which comes from the file "
        "itself: compare it with the one that the clinic publishes, or give that with --key."
    )


def _older(path: str, keys: Sequence[bytes]) -> Checkpoint:
    with Path(path).open("rb") as file:
        return verify(file, keys).checkpoint


def _verify_lines(
    lines: Iterator[bytes], keys: Sequence[bytes], since: Checkpoint | None
) -> Verified:
    trust, ledger, number = Trust.in_keys(keys), _Ledger(), 1
    is_given = trust.is_given
    try:
        opening = _opening(_unended(next(lines)))
        if since is not None and since.size > opening.size:
            raise Broken(f"the older export has {since.size} acts, this one only {opening.size}")
        for number, line in enumerate(lines, start=2):
            if number > opening.size + 1:
                raise Broken(f"the signed size is {opening.size} acts, but there are more")
            ledger.add(_unended(line), trust)
            if since is not None and since.size == ledger.frontier.size:
                _require_same_beginning(since, ledger)
        _require_signed_end(opening, ledger)
        number = 1
        trust.require(opening)
    except Broken as broken:
        raise Broken(f"line {number}: {broken}") from None
    except MALFORMED:
        raise Broken(f"line {number}: this is not how a line is written") from None
    words = f"Whole and unchanged: {opening.size} acts, sealed {opening.at}."
    return Verified(words, opening, is_given)


def _require_same_beginning(since: Checkpoint, ledger: _Ledger) -> None:
    if (since.root, since.chain) != (ledger.frontier.root(), ledger.chain):
        raise Broken(f"the first {since.size} acts are not those of the older export")


def _require_signed_end(opening: Checkpoint, ledger: _Ledger) -> None:
    if ledger.frontier.size < opening.size:
        missing = opening.size - ledger.frontier.size
        raise Broken(f"the last {missing} of {opening.size} acts are missing after this line")
    if (ledger.chain, ledger.frontier.root()) != (opening.chain, opening.root):
        raise Broken("every line follows from the one before, but not to the signed root")


def _opening(line: bytes) -> Checkpoint:
    checkpoint = Checkpoint.read(parsed(line)["checkpoint"])
    expected = {"checkpoint": checkpoint.plain, "format": LEDGER, "version": VERSION}
    if line != canonical(expected):
        raise ValueError("not the opening of a ledger")
    return checkpoint


def _verify_copy(data: bytes, keys: Sequence[bytes]) -> Verified:
    """A copy of a consent: the words, how they were signed, and that the ledger holds it."""
    try:
        copy = copies.read(data)
        checkpoint = Checkpoint.read(copy["checkpoint"])
        public = unhexed(copy["public"], 32)
        if key_id(public) != checkpoint.key:
            raise Broken("the key in the copy is not the one that signed")
        copies.require_agreement(copy)
        for number, act in enumerate(copy["acts"], start=1):
            _require_included(act, number, checkpoint)
    except copies.Disagreement as disagreement:
        raise Broken(str(disagreement)) from None
    except MALFORMED:
        raise Broken("this is not how a copy is written") from None
    Trust.in_keys(keys or [public]).require(checkpoint)
    words = f"This copy is exactly what was agreed to, and act {copy['acts'][0]['entry']['seq']}"
    words += f" of {checkpoint.size} in the ledger, sealed {checkpoint.at}."
    return Verified(words, checkpoint, bool(keys))


def _require_included(act: Any, number: int, checkpoint: Checkpoint) -> None:
    leaf, index = sealed_leaf(act["entry"]), act["entry"]["seq"] - 1
    proof = [unhexed(step, 32) for step in act["proof"]]
    if not includes(checkpoint.root, checkpoint.size, index, leaf, proof):
        raise Broken(f"act {number} of the copy is not in the ledger that was signed")


def _lines(begun: Iterable[bytes], file: BinaryIO) -> Iterator[bytes]:
    yield from filter(None, begun)
    while line := file.readline(LONGEST_LINE):
        yield line


def _unended(line: bytes) -> bytes:
    if not line.endswith(b"\n"):
        raise Broken("the line does not end")
    return line[:-1]


def _looks_like_a_ledger(line: bytes) -> bool:
    return line.startswith((b'{"checkpoint":{', b'{"chain":"')) or LEDGER.encode() in line[:2000]


def _looks_like_a_copy(first: bytes) -> bool:
    return first.startswith((b"<!doctype html>", b'{"acts":'))


def _keys_in(data: bytes) -> list[bytes]:
    """Keys of a file's content: PEM, published JSON, or hex."""
    if data.startswith(b"-----BEGIN"):
        key = serialization.load_pem_public_key(data)
        if not isinstance(key, Ed25519PublicKey):
            raise ValueError("another kind of key")
        return [key.public_bytes_raw()]
    if data.lstrip().startswith(b"{"):
        return [unhexed(key["public"], 32) for key in json.loads(data)["keys"]]
    return [unhexed(data.decode("ascii").strip().lower(), 32)]


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="verify", description="Check an export of the ledger, or a copy of a consent, offline."
    )
    parser.add_argument("file")
    parser.add_argument("--key", action="append", default=[], help="64 hex digits, or a file")
    parser.add_argument("--since", help="an older export that must be the beginning of this one")
    return parser.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
