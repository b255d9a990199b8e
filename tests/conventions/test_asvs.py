"""The list of what OWASP ASVS asks for is whole, and each of its answers can be looked up."""

import json
import re
from collections import Counter
from dataclasses import dataclass

import pytest

from tests.conventions.named import ROOT, is_there, names_in

# Which requirement has which level: facts of the standard, all 345 of them.
LEVELS: dict[str, int] = json.loads((ROOT / "docs/reference/asvs.json").read_text())
WRITTEN = (ROOT / "docs/reference/asvs.md").read_text()
# Authentication, sessions, authorisation, cryptography, logging: there level 2 is answered too.
DEEPER = ("V6.", "V7.", "V8.", "V11.", "V16.")
ROW = re.compile(
    r"\| (V\d+\.\d+\.\d+) \| ([123]) \| (\S[^|]*) \| (test|evidence|not applicable|open) "
    r"\| (\S[^|]*) \|"
)
PATH = re.compile(r"`([a-z0-9_./-]+/[a-z0-9_.-]+|[A-Za-z]+\.(?:md|txt|toml)|Makefile)`")


@dataclass(frozen=True)
class Row:
    id: str
    level: int
    asks: str
    mark: str
    answer: str


def rows() -> list[Row]:
    found = [ROW.fullmatch(line) for line in WRITTEN.splitlines()]
    return [
        Row(one[1], int(one[2]), one[3], one[4], one[5].strip()) for one in found if one is not None
    ]


def wanted() -> set[str]:
    return {
        id_
        for id_, level in LEVELS.items()
        if level == 1 or (level == 2 and id_.startswith(DEEPER))
    }


def marked(mark: str) -> list[Row]:
    return [row for row in rows() if row.mark == mark]


def test_the_levels_are_those_of_the_whole_standard() -> None:
    assert Counter(LEVELS.values()) == {1: 70, 2: 183, 3: 92}


def test_every_requirement_asked_for_is_answered_once_in_order() -> None:
    answered = [row.id for row in rows()]
    assert answered == sorted(wanted(), key=number_of)


def test_no_row_is_left_without_a_mark() -> None:
    begun = [line for line in WRITTEN.splitlines() if line.startswith("| V")]
    assert begun
    for line in begun:
        assert ROW.fullmatch(line), line


def test_each_requirement_has_the_level_of_the_standard() -> None:
    for row in rows():
        assert row.level == LEVELS[row.id], row.id


@pytest.mark.parametrize("row", marked("test"), ids=lambda row: row.id)
def test_each_test_that_is_named_is_there(row: Row) -> None:
    names = names_in(row.answer)
    assert names, "no test is named"
    assert [name for name in names if not is_there(name)] == []


@pytest.mark.parametrize("row", marked("evidence"), ids=lambda row: row.id)
def test_evidence_is_a_file_that_is_there_and_a_reason(row: Row) -> None:
    paths = PATH.findall(row.answer)
    assert paths, "no file is named"
    assert [path for path in paths if not (ROOT / path.partition("::")[0]).exists()] == []
    assert len(PATH.sub("", row.answer)) > 20, "no reason is given"


@pytest.mark.parametrize(
    "row", [*marked("not applicable"), *marked("open")], ids=lambda row: row.id
)
def test_what_does_not_apply_or_is_open_says_why(row: Row) -> None:
    assert len(row.answer) > 20
    assert [name for name in names_in(row.answer) if not is_there(name)] == []


def test_the_counts_at_the_top_are_those_of_the_rows() -> None:
    said = {
        mark: int(number)
        for mark, number in re.findall(
            r"^\| (test|evidence|not applicable|open) \| (\d+) \|$", WRITTEN, re.M
        )
    }
    assert said == dict.fromkeys(said, 0) | Counter(row.mark for row in rows())


def number_of(id_: str) -> list[int]:
    return [int(part) for part in id_.removeprefix("V").split(".")]
