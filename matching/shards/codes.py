"""Which bit of a row stands for which code. Codes mean nothing to the engine: it numbers them."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]

WORD = 64
# A skill from 0 to 3 takes two bits, so a byte holds the skills of four concerns.
SKILL_BITS = 2
SKILLS_A_BYTE = 8 // SKILL_BITS
SKILL_MASK = 3


class Codebook:
    """(kind, code) → bit, in the order in which they were first stated; bits are never reused."""

    def __init__(self) -> None:
        self._bits: dict[tuple[str, str], int] = {}
        self._codes: list[tuple[str, str]] = []

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def codes(self) -> tuple[tuple[str, str], ...]:
        """Kind and code of each bit, in their order."""
        return tuple(self._codes)

    @property
    def words(self) -> int:
        """How many words of 64 bits a row takes."""
        return max(1, -(-len(self._codes) // WORD))

    def bit(self, kind: str, code: str) -> int | None:
        """None for a code that nobody has stated."""
        return self._bits.get((kind, code))

    def add(self, kind: str, code: str) -> int:
        """The bit of this code, a new one if need be."""
        key = (kind, code)
        if key not in self._bits:
            self._bits[key] = len(self._codes)
            self._codes.append(key)
        return self._bits[key]

    def bits(self, kind: str, codes: Iterable[str]) -> list[int]:
        """The bits of those of the codes that somebody has stated."""
        bits = self._bits
        return [bits[kind, code] for code in codes if (kind, code) in bits]

    def masks(self, kind: str, codes: Iterable[str]) -> dict[int, np.uint64]:
        """Word → the bits in it that stand for these codes."""
        masks: dict[int, int] = {}
        for bit in self.bits(kind, codes):
            masks[bit // WORD] = masks.get(bit // WORD, 0) | 1 << bit % WORD
        return {word: np.uint64(mask) for word, mask in masks.items()}

    def row(self, stated: Iterable[tuple[str, str]]) -> int:
        """The codes of one therapist as the bits of one whole number; new codes are added."""
        bits = 0
        for kind, code in stated:
            bits |= 1 << self.add(kind, code)
        return bits

    def stated(self, bits: int) -> Iterator[tuple[str, str]]:
        """What `row` was given."""
        for bit, key in enumerate(self._codes):
            if bits >> bit & 1:
                yield key


class Skillbook:
    """Concern → where its skill stands in a row: the byte, and by how many bits it is shifted."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    @property
    def bytes(self) -> int:
        """How many bytes a row takes."""
        return max(1, -(-len(self._numbers) // SKILLS_A_BYTE))

    def place(self, concern: str) -> tuple[int, int] | None:
        """None for a concern in which nobody has a skill."""
        number = self._numbers.get(concern)
        if number is None:
            return None
        byte, place = divmod(number, SKILLS_A_BYTE)
        return byte, place * SKILL_BITS

    def add(self, concern: str) -> int:
        return self._numbers.setdefault(concern, len(self._numbers))

    def bits(self, skills: Mapping[str, int]) -> int:
        """The skills of one therapist as the bits of one whole number; new concerns are added."""
        bits = 0
        for concern, skill in skills.items():
            bits |= skill << self.add(concern) * SKILL_BITS
        return bits

    def row(self, skills: Mapping[str, int]) -> Bytes:
        """The same as bytes, shape (bytes,)."""
        bits = self.bits(skills)
        return np.frombuffer(bits.to_bytes(self.bytes, "little"), dtype=np.uint8)

    def stated(self, row: Bytes) -> dict[str, int]:
        """What `row` was given."""
        bits = int.from_bytes(row.tobytes(), "little")
        skills = {
            concern: bits >> number * SKILL_BITS & SKILL_MASK
            for concern, number in self._numbers.items()
        }
        return {concern: skill for concern, skill in skills.items() if skill}


def split(bits: int, words: int) -> Words:
    """A whole number as words of 64 bits, the lowest first. Shape (words,)."""
    return np.frombuffer(bits.to_bytes(words * WORD // 8, "little"), dtype="<u8")


def joined(words: Words) -> int:
    """What `split` was given."""
    return int.from_bytes(np.ascontiguousarray(words, dtype="<u8").tobytes(), "little")
