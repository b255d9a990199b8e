"""What holds for every template."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
HTML = sorted(TEMPLATES.rglob("*.html"))
PAGES = [path for path in HTML if "{% extends" in path.read_text()]
LIGHT_DARK = "light-dark("
MACROS = sorted((TEMPLATES / "components").glob("*.html"))


def name(path: Path) -> str:
    return str(path.relative_to(TEMPLATES))


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_every_page_has_a_title(path):
    assert any("{% block title %}" in text for text in lineage(path))


def lineage(path: Path) -> list[str]:
    """The texts of a page and of what it extends, without the frame that leaves the title open."""
    texts = []
    while path.name != "base.html":
        texts.append(path.read_text())
        path = TEMPLATES / re.findall(r"{% extends \"([^\"]+)\"", texts[-1])[0]
    return texts


@pytest.mark.parametrize("path", HTML, ids=name)
def test_no_template_has_inline_style_or_script(path):
    text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.S)
    assert not re.search(r"<style\b", text)
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert "javascript:" not in text
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script, script


@pytest.mark.parametrize("path", HTML, ids=name)
def test_every_form_that_changes_something_carries_the_csrf_token(path):
    forms = re.findall(
        r"<form\b[^>]*method=[\"']post[\"'].*?</form>", path.read_text(), re.S | re.I
    )
    for form in forms:
        assert "csrf_token" in form or "hidden_tag" in form or "csrf(" in form, form[:200]


@pytest.mark.parametrize("path", HTML, ids=name)
def test_nothing_is_taken_from_another_origin(path):
    for address in re.findall(r"(?:src|<link[^>]*href)=[\"'](https?:)?//", path.read_text()):
        pytest.fail(f"{address} in {path}")


@pytest.mark.parametrize("path", HTML, ids=name)
def test_nothing_is_marked_safe_but_what_was_cleaned(path):
    for line in path.read_text().splitlines():
        if re.search(r"\|\s*safe\b", line):
            assert "cleaned" in line or "icon" in line or "chart" in line, line


@pytest.mark.parametrize("path", MACROS, ids=name)
def test_every_component_is_shown_in_the_styleguide(path):
    assert f"components/{path.name}" in (TEMPLATES / "styleguide.html").read_text()


@pytest.mark.parametrize("path", MACROS, ids=name)
def test_every_macro_is_used_somewhere(path):
    others = "".join(other.read_text() for other in HTML if other != path)
    own = path.read_text()
    for macro in re.findall(r"{% macro ([a-z_]+)\(", own):
        used_inside = len(re.findall(rf"\b{macro}\(", own)) > 1
        assert used_inside or re.search(rf"\b{macro}\b", others), f"{macro} of {path.name}"


def test_the_dark_theme_has_other_colours_and_differs_in_nothing_else():
    """So axe looks at it with the rules about colours alone (tests/journeys/chromium.py)."""
    sheets = [*(ROOT / "static").rglob("*.css"), *(ROOT / "static").rglob("*.js"), *HTML]
    assert not [path for path in sheets if "prefers-color-scheme" in path.read_text()]
    shown = [
        line for path in sheets for line in path.read_text().splitlines() if LIGHT_DARK in line
    ]
    assert len(shown) > 10
    assert all(re.match(r"\s*(--[a-z-]+: light-dark\(|@supports not |/\*)", line) for line in shown)


def test_there_is_something_to_look_at():
    assert len(PAGES) > 20
    assert MACROS
