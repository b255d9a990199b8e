import csv
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from practice.intake.commands import score_command

ITEMS = [str(item) for item in range(1, 10)]
HEADER = ",".join(["id", *ITEMS, "note"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path


def sheets(folder: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
    path = folder / "in.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding=encoding)
    return path


def run(folder: Path, *options: str, code: str = "phq-9", out: str = "out/scored.csv") -> Result:
    paths = ["--csv", str(folder / "in.csv"), "--out", str(folder / out)]
    return CliRunner().invoke(score_command, [code, *paths, *options])


def scored(folder: Path) -> list[dict[str, str]]:
    with (folder / "out/scored.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def assert_refused(result: Result, folder: Path, *said: str) -> None:
    """Exit 2, one line on stderr that says it, and nothing left where OUT would be."""
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert all(words in result.stderr for words in said)
    assert list((folder / "out").iterdir()) == []


def test_a_complete_sheet_gains_its_total_band_status_and_risk(folder: Path) -> None:
    sheets(folder, 'a,3,3,3,3,3,3,1,0,0,"kept, as it was"')
    assert run(folder).exit_code == 0
    assert scored(folder) == [
        {"id": "a", **dict(zip(ITEMS, "333333100", strict=True)), "note": "kept, as it was"}
        | {"total": "19", "band": "moderately-severe", "status": "complete", "risk": "false"}
    ]


def test_an_empty_cell_is_missing_and_leaves_no_total(folder: Path) -> None:
    sheets(folder, "a,3,,3,3,3,3,3,3,1,")
    run(folder)
    [row] = scored(folder)
    assert (row["total"], row["band"], row["status"]) == ("", "", "incomplete")
    assert row["risk"] == "true"


def test_a_missing_risk_item_leaves_risk_empty(folder: Path) -> None:
    sheets(folder, "a,0,0,0,0,0,0,0,0, ,")
    run(folder)
    assert scored(folder)[0]["risk"] == ""


def test_a_code_counts_as_missing_only_when_it_was_named(folder: Path) -> None:
    sheets(folder, "a,0,0,0,0,0,0,0,7,9,", "b,0,0,0,0,0,0,0,0,2,")
    assert_refused(run(folder), folder, "row 1 (line 2)", "column 8")
    assert run(folder, "--missing", "7, 9").exit_code == 0
    assert [(row["status"], row["risk"]) for row in scored(folder)] == [
        ("incomplete", ""),
        ("complete", "true"),
    ]


def test_the_summary_counts_sheets_bands_incomplete_ones_and_risk(folder: Path) -> None:
    sheets(folder, "a,0,0,0,0,0,0,0,0,0,", "b,3,2,0,0,0,0,0,0,1,", "c,3,,0,0,0,0,0,0,1,")
    assert (
        run(folder).stdout.split()
        == (
            "sheets 3 minimal 1 mild 1 moderate 0 moderately-severe 0 severe 0 incomplete 1 risk 2"
        ).split()
    )


def test_other_columns_can_be_named_in_the_order_of_the_items(folder: Path) -> None:
    sheets(folder, "0,0,0,0,0,0,0,0,3", header="i,h,g,f,e,d,c,b,a")
    assert run(folder, "--columns", "a,b,c,d,e,f,g,h,i").exit_code == 0
    assert scored(folder)[0]["risk"] == "false"
    assert scored(folder)[0]["total"] == "3"


def test_a_gad_7_is_scored_without_a_word_on_risk(folder: Path) -> None:
    sheets(folder, "3,3,3,3,3,0,0", header="1,2,3,4,5,6,7")
    result = run(folder, code="gad-7")
    assert scored(folder)[0]["band"] == "severe"
    assert scored(folder)[0]["risk"] == ""
    assert "risk" not in result.stdout


@pytest.mark.parametrize("cell", ["4", "-1", "1.5", "x", "03", "٣"])
def test_any_other_value_names_its_row_and_column_and_stops(folder: Path, cell: str) -> None:
    sheets(folder, "a,0,0,0,0,0,0,0,0,0,", f"b,0,0,0,0,{cell},0,0,0,0,")
    assert_refused(run(folder), folder, "row 2 (line 3), column 5")


def test_the_answer_itself_is_never_in_the_message(folder: Path) -> None:
    sheets(folder, "a,0,0,0,0,0,0,0,0,canary,")
    assert "canary" not in run(folder).stderr


def test_a_refusal_leaves_an_earlier_result_as_it_was(folder: Path) -> None:
    (folder / "out/scored.csv").write_text("earlier")
    sheets(folder, "a,0,0,0,0,0,0,0,0,8,")
    assert run(folder).exit_code == 2
    assert [path.name for path in (folder / "out").iterdir()] == ["scored.csv"]
    assert (folder / "out/scored.csv").read_text() == "earlier"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("id,1,2,3,4,5,6,7,8,note", "no column 9"),
        ("id,1,2,3,4,5,6,7,8,9,9", "more than one column 9"),
        ("band,1,2,3,4,5,6,7,8,9,note", "already a column band"),
        ("", "no column 1"),
    ],
)
def test_a_wrong_header_is_refused(folder: Path, header: str, said: str) -> None:
    sheets(folder, "a,0,0,0,0,0,0,0,0,0,", header=header)
    assert_refused(run(folder), folder, said)


def test_an_empty_file_is_refused(folder: Path) -> None:
    (folder / "in.csv").touch()
    assert_refused(run(folder), folder, "header: there is no column 1")


@pytest.mark.parametrize("columns", ["1,2,3", "1,2,3,4,5,6,7,8,8"])
def test_one_column_an_item_must_be_named(folder: Path, columns: str) -> None:
    sheets(folder, "a,0,0,0,0,0,0,0,0,0,")
    assert_refused(run(folder, "--columns", columns), folder, "phq-9 needs 9 different columns")


@pytest.mark.parametrize("row", ["a,0,0,0,0,0,0,0,0,0", "a,0,0,0,0,0,0,0,0,0,,"])
def test_a_row_of_another_width_is_refused(folder: Path, row: str) -> None:
    sheets(folder, row)
    assert_refused(run(folder), folder, "row 1 (line 2)", "under a header of 11")


def test_a_quote_left_open_does_not_swallow_the_rest(folder: Path) -> None:
    sheets(folder, 'a,0,0,0,0,0,0,0,0,0,"open', "b,0,0,0,0,0,0,0,0,0,")
    assert_refused(run(folder), folder, "line 3")


def test_blank_lines_are_no_sheets(folder: Path) -> None:
    sheets(folder, "a,0,0,0,0,0,0,0,0,0,", "", "b,0,0,0,0,0,0,0,0,4,", "")
    assert_refused(run(folder), folder, "row 2 (line 4), column 9")


def test_a_byte_order_mark_is_no_part_of_the_first_column(folder: Path) -> None:
    sheets(folder, "0,0,0,0,0,0,0,0,0", header=",".join(ITEMS), encoding="utf-8-sig")
    assert run(folder).exit_code == 0


def test_text_in_another_encoding_is_refused(folder: Path) -> None:
    sheets(folder, "a,0,0,0,0,0,0,0,0,0,café", encoding="latin-1")
    assert_refused(run(folder), folder, "not UTF-8")


def test_a_file_that_is_not_there_is_refused_by_name(folder: Path) -> None:
    assert_refused(run(folder), folder, "in.csv", "No such file")


def test_an_unknown_instrument_is_refused_with_the_known_ones(folder: Path) -> None:
    sheets(folder, "a,0,0,0,0,0,0,0,0,0,")
    assert_refused(run(folder, code="phq9"), folder, "phq9", "gad-7, phq-9")


def test_a_place_to_write_that_does_not_exist_is_refused_by_name(folder: Path) -> None:
    sheets(folder, "a,0,0,0,0,0,0,0,0,0,")
    assert_refused(run(folder, out="nowhere/scored.csv"), folder, "nowhere/scored.csv")


def test_only_a_plain_file_is_ever_replaced(folder: Path) -> None:
    sheets(folder, "a,0,0,0,0,0,0,0,0,0,")
    assert_refused(run(folder, out="out"), folder, "not a file that can be replaced")


def test_the_result_can_be_read_by_its_owner_alone(folder: Path) -> None:
    sheets(folder, "a,0,0,0,0,0,0,0,0,0,")
    run(folder)
    assert stat.S_IMODE((folder / "out/scored.csv").stat().st_mode) == 0o600


def test_a_file_can_be_scored_onto_itself(folder: Path) -> None:
    sheets(folder, "a,1,0,0,0,0,0,0,0,0,")
    assert run(folder, out="in.csv").exit_code == 0
    assert (folder / "in.csv").read_text().splitlines()[
        1
    ] == "a,1,0,0,0,0,0,0,0,0,,1,minimal,complete,false"
