"""Merkle trees as in RFC 6962: hashing, roots, proofs and their checks. Pure; hashes are 32 bytes.

A tree is read through `Nodes`: a function from (level, position) to the hash of a complete
subtree, level 0 being the leaves. Only complete subtrees need ever be kept: they never change.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence

Nodes = Callable[[int, int], bytes]

EMPTY_ROOT = hashlib.sha256().digest()


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962, 2.1: the prefix 0x00 keeps a leaf from passing for a node."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """What must be remembered to go on appending: one complete subtree for each bit of the size."""

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        """`peaks` are the hashes of the complete subtrees, the largest first."""
        self.size = size
        self._peaks = list(peaks)
        if len(self._peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks")

    @classmethod
    def of(cls, nodes: Nodes, size: int) -> "Frontier":
        """The frontier of the first `size` leaves of a kept tree."""
        return cls(size, [nodes(level, position) for level, position in peaks(size)])

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add the hash of a leaf; gives (level, position, hash) of all it completed, itself first.

        Takes O(1) hashes on average, O(log n) at worst.
        """
        level, position, subtree = 0, self.size, leaf
        made = [(level, position, subtree)]
        while position & 1:
            subtree = node_hash(self._peaks.pop(), subtree)
            level, position = level + 1, position >> 1
            made.append((level, position, subtree))
        self._peaks.append(subtree)
        self.size += 1
        return made

    def root(self) -> bytes:
        if not self._peaks:
            return EMPTY_ROOT
        root = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            root = node_hash(peak, root)
        return root


def peaks(size: int) -> Iterator[tuple[int, int]]:
    """(level, position) of the complete subtrees that make up a tree, the largest first."""
    begin = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            yield level, begin >> level
            begin += 1 << level


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over the hashes of leaves."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def nodes_of(leaves: Sequence[bytes]) -> Nodes:
    """A tree kept in memory."""
    frontier = Frontier()
    kept = {
        (level, position): subtree
        for leaf in leaves
        for level, position, subtree in frontier.append(leaf)
    }
    return lambda level, position: kept[level, position]


def root_at(nodes: Nodes, size: int) -> bytes:
    """The root of the first `size` leaves."""
    return Frontier.of(nodes, size).root()


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """RFC 6962, 2.1.1: what leads from leaf `index` (from 0) to the root at `size`, bottom up."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    return _path(nodes, index, 0, size)


def consistency_proof(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """RFC 6962, 2.1.2: that the tree of `new` leaves begins with the tree of `old` leaves."""
    if not 0 < old <= new:
        raise ValueError(f"a tree of {new} leaves does not go on from one of {old}")
    return _subproof(nodes, old, 0, new, is_whole=True)


def includes(root: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Check an inclusion proof (RFC 9162, 2.1.3.2). `leaf` is the hash of the leaf."""
    if not 0 <= index < size:
        return False
    position, last, subtree = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            subtree = node_hash(sibling, subtree)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            subtree = node_hash(subtree, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and subtree == root


def goes_on_from(
    old_root: bytes, old: int, new_root: bytes, new: int, proof: Sequence[bytes]
) -> bool:
    """Check a consistency proof (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    # An old tree that is one complete subtree is a step of its own proof, and left out of it.
    steps = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    if not steps:
        return False
    was = becomes = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            was, becomes = node_hash(step, was), node_hash(step, becomes)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            becomes = node_hash(becomes, step)
        position, last = position >> 1, last >> 1
    return last == 0 and was == old_root and becomes == new_root


def _path(nodes: Nodes, index: int, begin: int, size: int) -> list[bytes]:
    """PATH(m, D[n]) over the `size` leaves from `begin` on; `index` counts from `begin`."""
    if size == 1:
        return []
    half = _largest_power_below(size)
    if index < half:
        return [*_path(nodes, index, begin, half), _subtree(nodes, begin + half, size - half)]
    rest = _path(nodes, index - half, begin + half, size - half)
    return [*rest, _subtree(nodes, begin, half)]


def _subproof(nodes: Nodes, old: int, begin: int, size: int, *, is_whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) over the `size` leaves from `begin` on."""
    if old == size:
        return [] if is_whole else [_subtree(nodes, begin, size)]
    half = _largest_power_below(size)
    if old <= half:
        rest = _subproof(nodes, old, begin, half, is_whole=is_whole)
        return [*rest, _subtree(nodes, begin + half, size - half)]
    rest = _subproof(nodes, old - half, begin + half, size - half, is_whole=False)
    return [*rest, _subtree(nodes, begin, half)]


def _subtree(nodes: Nodes, begin: int, size: int) -> bytes:
    """MTH(D[begin:begin+size]); by construction `begin` is a multiple of every power in `size`."""
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return nodes(level, begin >> level)
    half = _largest_power_below(size)
    return node_hash(_subtree(nodes, begin, half), _subtree(nodes, begin + half, size - half))


def _largest_power_below(size: int) -> int:
    """The largest power of two smaller than `size` (at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)
