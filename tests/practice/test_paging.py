import pytest

from practice.paging import LAST_PAGE, page_number


@pytest.mark.parametrize(
    ("asked", "page"),
    [
        ("", 1),
        ("?page=", 1),
        ("?page=7", 7),
        ("?page=0", 1),
        ("?page=-3", 1),
        ("?page=seven", 1),
        ("?page=1.5", 1),
        ("?page=%C2%B2", 1),
        ("?page=%D9%A3", 1),
        ("?page=999999", 999_999),
        (f"?page={LAST_PAGE + 1}", LAST_PAGE),
        (f"?page={'9' * 400}", LAST_PAGE),
        ("?page=2&page=9", 2),
    ],
)
def test_a_page_number_is_one_that_a_list_can_be_asked_for(app, asked, page):
    with app.test_request_context(f"/{asked}"):
        assert page_number() == page
