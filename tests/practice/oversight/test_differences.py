from hypothesis import given
from hypothesis import strategies as st

from practice.oversight.differences import Change, Line, differences

lines = st.lists(st.sampled_from(["a", "b", "c", "", "d e"]), max_size=12)


def test_what_went_and_what_came_is_named():
    assert differences("one\ntwo\nthree", "one\n2\nthree") == [
        Line(Change.same, "one"),
        Line(Change.removed, "two"),
        Line(Change.added, "2"),
        Line(Change.same, "three"),
    ]


def test_long_stretches_that_stayed_are_left_out():
    before = "\n".join(str(n) for n in range(50))
    shown = differences(before, before.replace("25", "25 and a half"))
    assert [line.change for line in shown].count(Change.left_out) == 2
    assert "23 lines as before" in {line.text for line in shown}
    assert len(shown) == 8


def test_the_same_text_has_no_changes():
    assert all(
        line.change in {Change.same, Change.left_out} for line in differences("a\nb", "a\nb")
    )


@given(lines, lines)
def test_the_changes_lead_from_one_text_to_the_other(before, after):
    shown = differences("\n".join(before), "\n".join(after))
    removed = [line.text for line in shown if line.change is Change.removed]
    added = [line.text for line in shown if line.change is Change.added]
    assert len("\n".join(before).splitlines()) - len(removed) == (
        len("\n".join(after).splitlines()) - len(added)
    )
