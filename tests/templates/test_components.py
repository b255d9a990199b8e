"""What the shared pieces of pages promise, whoever uses them."""

from collections.abc import Iterator

import pytest
from bs4 import BeautifulSoup
from flask import Flask, get_template_attribute

from practice.today.styleguide import StyleForm


@pytest.fixture(autouse=True)
def page(whole_app: Flask) -> Iterator[None]:
    with whole_app.test_request_context():
        yield


def rendered(file: str, macro: str, *values: object) -> BeautifulSoup:
    html = get_template_attribute(f"components/{file}.html", macro)(*values)
    return BeautifulSoup(html, "html.parser")


def form_with_errors() -> StyleForm:
    form = StyleForm(formdata=None)
    form.email.errors = ("Please write an address.",)
    form.often.errors = ("Please choose one.",)
    return form


@pytest.mark.parametrize("name", ["email", "often"])
def test_a_link_of_the_error_summary_leads_to_something_that_takes_focus(name):
    form = form_with_errors()
    address = rendered("field", "error_summary", form).select_one(f"a[href='#{name}']")["href"]
    target = rendered("field", "field", form[name]).find(id=address.removeprefix("#"))
    assert target.name == "input" or target["tabindex"] == "-1"


def test_an_error_of_a_question_is_said_without_a_second_mark():
    words = [link.text for link in rendered("field", "error_summary", form_with_errors())("a")]
    assert words == ["E-mail address: Please write an address.", "How often? Please choose one."]


def test_the_crisis_panel_thanks_only_those_who_told_us_something():
    reading = "Somebody reads this before 20:00."
    assert "Thank you for telling us" in rendered("crisis", "crisis_panel", reading).text
    assert "Thank you" not in rendered("crisis", "crisis_panel").text


def test_the_crisis_panel_never_blocks_the_way_on():
    panel = rendered("crisis", "crisis_panel", "", "/intake/gad-7")
    assert panel.find("a", href="/intake/gad-7")
