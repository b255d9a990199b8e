"""The list of controls is true to the code: each can be taken out, and its tests are there.

Taking them out and seeing the tests fail takes minutes: `make controls`.
"""

import pytest

from tests.controls import Control, all_controls
from tests.conventions.named import ROOT, is_there

CONTROLS = all_controls()


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_a_control_stands_once_where_the_list_says(control: Control) -> None:
    times = (ROOT / control.file).read_text().count(control.text)
    assert times == 1, (
        f"{control.file} has {times} times what tests/controls takes out; if the control is there "
        "in other words, write them into the list and run: make controls"
    )
    assert control.instead != control.text


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.name)
def test_the_tests_of_a_control_are_there(control: Control) -> None:
    assert control.tests
    assert [name for name in control.tests if not is_there(name)] == []


def test_no_control_is_listed_twice() -> None:
    names = [control.name for control in CONTROLS]
    assert len(set(names)) == len(names)
