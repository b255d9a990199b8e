"""A browser without JavaScript: follows links, fills forms by their labels, keeps cookies."""

import re
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup, Tag


class NotOnPage(AssertionError):
    """What a story wanted to use is not there; the message shows what is."""


class PlainBrowser:
    """One person's browser. `base` is the address of the town they walk in."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._http = requests.Session()
        self.address = ""
        self.status = 0
        self._page = BeautifulSoup("", "html.parser")

    def __repr__(self) -> str:
        return f"{self.address}: {self.text}"

    @property
    def text(self) -> str:
        return _plain(self._page.get_text(" "))

    @property
    def heading(self) -> str:
        heading = self._page.find("h1")
        return _plain(heading.get_text(" ")) if heading else ""

    def open(self, path: str) -> None:
        self._take(self._http.get(urljoin(self.base, path), timeout=30))

    def follow(self, words: str) -> None:
        """Follow the link with this text."""
        link = self._find("a", words)
        self._take(self._http.get(urljoin(self.address, str(link["href"])), timeout=30))

    def fill(self, label: str, value: str) -> None:
        """Type into the field with this label, or choose the option of a select by its text."""
        field = self._labelled(label)
        if field.name == "select":
            self._select(field, value)
        elif field.name == "textarea":
            field.string = value
        else:
            field["value"] = value

    def tick(self, label: str, under: str = "") -> None:
        """Choose a box or a button; `under` is the heading of its group, where labels repeat."""
        field = self._labelled(label, under)
        if field.get("type") == "radio":
            form = self._form_of(field)
            for other in form.find_all("input", {"type": "radio", "name": field["name"]}):
                other.attrs.pop("checked", None)
        field["checked"] = ""

    def untick(self, label: str) -> None:
        self._labelled(label).attrs.pop("checked", None)

    def press(self, words: str) -> None:
        """Press the button with this text and go where its form leads."""
        button = self._find("button", words)
        form = self._form_of(button)
        data = _values(form)
        if button.get("name"):
            data.append((str(button["name"]), str(button.get("value", ""))))
        target = str(button.get("formaction") or form.get("action") or self.address)
        address = urljoin(self.address, target)
        if str(form.get("method", "get")).lower() == "post":
            # A browser that is asked not to send a referrer says "null".
            self._take(self._http.post(address, data=data, timeout=30))
        else:
            self._take(self._http.get(address, params=data, timeout=30))

    def sees(self, words: str) -> bool:
        return _plain(words).lower() in self.text.lower()

    def has_link(self, words: str) -> bool:
        return any(_matches(link, words) for link in self._page.find_all("a", href=True))

    def download(self, words: str) -> str:
        """The text behind a link, staying on the page."""
        link = self._find("a", words)
        return self._http.get(urljoin(self.address, str(link["href"])), timeout=30).text

    def close(self) -> None:
        self._http.close()

    def _take(self, answer: requests.Response) -> None:
        self.address, self.status = answer.url, answer.status_code
        self._page = BeautifulSoup(answer.text, "html.parser")
        assert answer.status_code < 500, f"{answer.url} answered {answer.status_code}: {self.text}"

    def _find(self, kind: str, words: str) -> Tag:
        found = [tag for tag in self._page.find_all(kind) if _matches(tag, words)]
        exact = [tag for tag in found if _name_of(tag).lower() == words.lower()]
        if not found:
            there = [_name_of(tag) for tag in self._page.find_all(kind)]
            raise NotOnPage(f"no {kind} “{words}” on {self.address}; there are {there}")
        return (exact or found)[0]

    def unfold(self, words: str) -> None:
        """Open what is folded away; without a browser window it only has to be there."""
        self._find("summary", words)

    def texts(self, selector: str) -> list[str]:
        """The text of each element that a CSS selector names."""
        return [_plain(tag.get_text(" ")) for tag in self._page.select(selector)]

    def _labelled(self, words: str, under: str = "") -> Tag:
        within = self._group(under) if under else self._page
        labels = [tag for tag in within.find_all("label") if _matches(tag, words)]
        exact = [tag for tag in labels if _name_of(tag).lower() == words.lower()]
        for label in exact or labels:
            field = self._field_of(label)
            if field is not None:
                return field
        there = [_name_of(tag) for tag in self._page.find_all("label")]
        raise NotOnPage(f"no field “{words}” on {self.address}; there are {there}")

    def _group(self, heading: str) -> Tag:
        legends = [tag for tag in self._page.find_all("legend") if _matches(tag, heading)]
        if not legends:
            raise NotOnPage(f"no group “{heading}” on {self.address}")
        return legends[0].find_parent("fieldset")  # type: ignore[return-value]

    def _field_of(self, label: Tag) -> Tag | None:
        if label.get("for"):
            return self._page.find(id=str(label["for"]))  # type: ignore[return-value]
        return label.find(["input", "select", "textarea"])  # type: ignore[return-value]

    def _select(self, field: Tag, text: str) -> None:
        options = field.find_all("option")
        chosen = [one for one in options if _plain(one.get_text()).lower() == text.lower()]
        if not chosen:
            raise NotOnPage(f"no option “{text}” in {[_plain(o.get_text()) for o in options]}")
        for option in options:
            option.attrs.pop("selected", None)
        chosen[0]["selected"] = ""

    def _form_of(self, tag: Tag) -> Tag:
        if tag.get("form"):
            form = self._page.find("form", id=str(tag["form"]))
        else:
            form = tag.find_parent("form")
        assert isinstance(form, Tag), f"{tag} stands in no form"
        return form


def _values(form: Tag) -> list[tuple[str, str]]:
    values = []
    for field in form.find_all(["input", "select", "textarea"]):
        if not field.get("name") or field.has_attr("disabled"):
            continue
        values += [(str(field["name"]), value) for value in _values_of(field)]
    return values


def _values_of(field: Tag) -> list[str]:
    if field.name == "textarea":
        # HTML drops the line break that templates put before the text.
        return [re.sub(r"\A\r?\n", "", field.get_text())]
    if field.name == "select":
        options = field.find_all("option")
        chosen = [one for one in options if one.has_attr("selected")] or options[:1]
        return [str(one.get("value", one.get_text())) for one in chosen]
    if field.get("type") in {"checkbox", "radio"}:
        return [str(field.get("value", "on"))] if field.has_attr("checked") else []
    if field.get("type") in {"submit", "button", "image"}:
        return []
    return [str(field.get("value", ""))]


def _matches(tag: Tag, words: str) -> bool:
    return words.lower() in _name_of(tag).lower()


def _name_of(tag: Tag) -> str:
    return _plain(str(tag.get("aria-label") or tag.get_text(" ")))


def _plain(text: str) -> str:
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r" ([.,;:!?])", r"\1", text)
