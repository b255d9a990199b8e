"""What is pressed as an address, and what stays text."""

import pytest
from flask import Flask, render_template_string

from practice.web_address import is_web_address
from tests.journeys.hostile import IN_AN_ADDRESS

LINK = '{% from "components/link.html" import web_link %}{{ web_link(address, "the page") }}'


@pytest.mark.parametrize(
    "text",
    ["https://meet.example.test/room?a=1#b", "https://[2001:db8::1]/x", "https://münchen.example"],
)
def test_an_https_address_is_one(text: str) -> None:
    assert is_web_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://plain.example.test",
        "https://",
        "https:///path",
        "https://[",
        "javascript:alert(1)",
        "javascript://meet.example.test/%0aalert(1)",
        " https://meet.example.test",
        "https://a.example\njavascript:alert(1)",
        "https://a.example and some words",
    ],
)
def test_anything_else_is_not(text: str) -> None:
    assert not is_web_address(text)


@pytest.mark.parametrize("text", IN_AN_ADDRESS)
def test_no_hostile_text_becomes_more_than_a_link_or_text(app: Flask, text: str) -> None:
    with app.test_request_context():
        html = render_template_string(LINK, address=text)
    assert ("<a href=" in html) == is_web_address(text)
    assert "<script" not in html
    assert '"on' not in html


def test_an_address_is_pressed_under_its_words_and_tells_the_other_side_nothing(app: Flask) -> None:
    with app.test_request_context():
        html = render_template_string(LINK, address="https://meet.example.test/room")
    assert html.strip() == (
        '<a href="https://meet.example.test/room" rel="noreferrer noopener">the page</a>'
    )
