"""A real Chromium with the same words as the plain browser; looks at every page with axe."""

import re
import shutil
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import (
    Browser,
    CDPSession,
    ConsoleMessage,
    Locator,
    Page,
    Playwright,
    Response,
)

from tests.journeys.seen import Seen

# Without windows it is the same browser for a quarter less work; not every system has it so.
PROGRAMS = ("chromium-headless-shell", "chromium")
ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage"
).split()
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ABOUT_COLOURS = ["color-contrast", "link-in-text-block"]
# The themes differ in colours alone.
BUT_COLOURS = {
    "runOnly": {"type": "tag", "values": STANDARDS},
    "rules": {rule: {"enabled": False} for rule in ABOUT_COLOURS},
}
COLOURS = {"runOnly": {"type": "rule", "values": ABOUT_COLOURS}}
# To name each element by a selector would take a fifth of the time; its HTML tells as much.
FINDING = {"resultTypes": ["violations"], "selectors": False}
Theme = Literal["light", "dark"]
# Which elements with which classes a page has: where all were seen, a page needs no second look.
PIECES = """() => {
  const pieces = [...document.body.querySelectorAll("*")].map(
    one => [one.localName, one.getAttribute("class"), one.getAttribute("type")].join("."));
  return [...new Set(pieces)];
}"""
# Elements that stand in others as some on another page did have the colours of those.
STANDING = """() => {
  const of = one => [one.localName, ...one.classList, one.getAttribute("type"),
    one.disabled, one.getAttribute("aria-current"), one.getAttribute("aria-invalid"),
    one.checkVisibility()].join(".");
  window.standing = new Map();
  const walk = (one, above) => {
    const stands = above + ">" + of(one);
    window.standing.set(one, stands);
    for (const child of one.children) walk(child, stands);
  };
  walk(document.body, "");
  return [...new Set(window.standing.values())];
}"""
# What stands in something new is new as well: the outermost of it has the rest in it.
MARK_OUTERMOST = """news => {
  const wanted = new Set(news), isNew = one => wanted.has(window.standing.get(one));
  window.outermost = [...window.standing.keys()].filter(
    one => isNew(one) && !isNew(one.parentElement));
}"""
ASK_AXE = """async ([wanted, everywhere]) => {
  if (!everywhere && !window.outermost.length) return [];
  const found = await axe.run(everywhere ? document : {include: window.outermost}, wanted);
  return found.violations;
}"""
# Playwright's own waiting evaluates again at later frames, which the pages' policy refuses.
WAITING = """async () => {
  const end = performance.now() + %d;
  while (!(%s)) {
    if (performance.now() > end) throw new Error("did not come true: " + %r);
    await new Promise(requestAnimationFrame);
  }
}"""
# Far longer than a page takes on the slowest machine, in milliseconds.
PATIENCE = 120_000
TOO_WIDE = "document.documentElement.scrollWidth > window.innerWidth"
SEEN = Seen()
# Whose browser was closed: theirs are lent to whoever comes next.
IDLE: list["Chromium"] = []


def launch(playwright: Playwright) -> Browser:
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, "Chromium is needed: tools/system-packages chromium"
    return playwright.chromium.launch(executable_path=program, args=ARGUMENTS, timeout=PATIENCE)


class Chromium:
    """One person's browser: a context of its own, and axe's findings of each kind of page."""

    def __init__(self, browser: Browser, base: str) -> None:
        self.base = base
        # Colours that fade from one theme into the other would be found wanting half-way.
        self._context = browser.new_context(reduced_motion="reduce")
        self._context.set_default_timeout(PATIENCE)
        self.page: Page = self._context.new_page()
        self._inside = self._context.new_cdp_session(self.page)
        self._sessions: list[CDPSession] = []
        self.foreign: set[str] = set()
        self.errors: list[str] = []
        self.findings: list[str] = []
        self.page.on("request", lambda request: self._note_origin(request.url))
        self.page.on("response", self._note_missing)
        self.page.on("console", self._note_error)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    @classmethod
    def lent(cls, browser: Browser, base: str, width: int) -> "Chromium":
        """One that knows nobody. To start another takes as long as ten pages: `close` keeps it."""
        lent = IDLE.pop() if IDLE else cls(browser, base)
        lent._begin(width)
        return lent

    def _begin(self, width: int) -> None:
        self._width = width
        self.page.set_viewport_size({"width": width, "height": 844})
        self.foreign, self.errors, self.findings = set(), [], []

    def __repr__(self) -> str:
        return f"{self.address}: {self.text}"

    @property
    def address(self) -> str:
        return self.page.url

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", self.page.locator("body").inner_text())

    @property
    def heading(self) -> str:
        return re.sub(r"\s+", " ", self.page.locator("h1").first.inner_text()).strip()

    def carry(self, name: str, value: str) -> None:
        """Have a cookie from elsewhere: signed in without the form."""
        self._context.add_cookies([{"name": name, "value": value, "url": self.base}])

    def open(self, path: str) -> None:
        answer = self.page.goto(urljoin(self.base, path))
        assert answer is None or answer.status < 500, (path, answer.status)
        self.look()

    def follow(self, words: str) -> None:
        self._go(self._named("link", words))

    def press(self, words: str) -> None:
        self._go(self._named("button", words))

    def fill(self, label: str, value: str) -> None:
        field = self._labelled(label)
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)

    def tick(self, label: str, under: str = "") -> None:
        """Choose a box or a button; `under` is the heading of its group, where labels repeat."""
        self._labelled(label, under).check()

    def untick(self, label: str) -> None:
        self._labelled(label).uncheck()

    def sees(self, words: str) -> bool:
        self.page.wait_for_load_state()
        return words.lower() in self.text.lower()

    def has_link(self, words: str) -> bool:
        return self.page.get_by_role("link", name=words).count() > 0

    def download(self, words: str) -> str:
        with self.page.expect_download() as download:
            self._named("link", words).click()
        return Path(download.value.path()).read_text()

    def unfold(self, words: str) -> None:
        """Open what is folded away, if it is not open yet."""
        folded = self.page.locator("details", has=self.page.get_by_text(words)).first
        if folded.get_attribute("open") is None:
            folded.locator("summary").first.click()

    def texts(self, selector: str) -> list[str]:
        """The text of each element that a CSS selector names, folded away or not."""
        found = self.page.locator(selector).all_text_contents()
        return [re.sub(r"\s+", " ", text).strip() for text in found]

    def wait_until(self, condition: str) -> None:
        """Wait for a JavaScript expression of the page to come true."""
        self.page.evaluate(WAITING % (PATIENCE, condition, condition))

    def session(self) -> CDPSession:
        """The browser from the inside; what is set up over it goes when this one is closed."""
        self._sessions.append(self._context.new_cdp_session(self.page))
        return self._sessions[-1]

    def run_first(self, script: str) -> None:
        """Run this in every page to come, before anything of the page's own."""
        session = self.session()
        session.send("Page.enable")
        session.send("Page.addScriptToEvaluateOnNewDocument", {"source": script})

    def close(self) -> None:
        """Forget everybody, for whoever gets it next."""
        while self._sessions:
            self._sessions.pop().detach()
        for tab in self._context.pages[1:]:
            tab.close()
        self.page.emulate_media(color_scheme="light")
        # A picture: it runs nothing and asks for nothing more.
        self.page.goto(urljoin(self.base, "/static/icon.svg"))
        self.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        self._context.clear_cookies()
        IDLE.append(self)

    def screenshot(self, path: Path, theme: str, width: int) -> None:
        self.page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        self.page.set_viewport_size({"width": width, "height": 844})
        self.page.screenshot(path=path, full_page=True)

    def _go(self, target: Locator) -> None:
        with self.page.expect_navigation():
            target.click()
        self.look()

    def _named(self, role: str, words: str) -> Locator:
        exact = self.page.get_by_role(role, name=words, exact=True)  # type: ignore[arg-type]
        if exact.count():
            return exact.first
        return self.page.get_by_role(role, name=words).first  # type: ignore[arg-type]

    def _labelled(self, words: str, under: str = "") -> Locator:
        within = self.page.get_by_role("group", name=under).first if under else self.page
        exact = within.get_by_label(words, exact=True)
        return exact.first if exact.count() else within.get_by_label(words).first

    def look(self) -> None:
        """What axe finds in both themes: once in a run for each page, and for each new piece."""
        if not self.address.startswith(self.base):
            return
        if new := SEEN.new_of(self._pieces()):
            self._look_closely()
            SEEN.add(new)

    def _look_closely(self) -> None:
        if self.page.evaluate(TOO_WIDE):
            self.findings.append(f"{self.address}: wider than its window")
        self._bring_axe()
        self._note_findings("light", BUT_COLOURS, everywhere=True)
        standing = {f"{self._width} {one}": one for one in self.page.evaluate(STANDING)}
        new = SEEN.new_of(standing)
        self.page.evaluate(MARK_OUTERMOST, [standing[one] for one in new])
        self._note_findings("light", COLOURS)
        self._note_findings("dark", COLOURS)
        self.page.emulate_media(color_scheme="light")
        SEEN.add(new)

    def _bring_axe(self) -> None:
        """As a script of its own: Chromium compiles that once, and what is evaluated each time."""
        said = self._inside.send("Runtime.evaluate", {"expression": AXE_SCRIPT})
        assert "exceptionDetails" not in said, said

    def _note_findings(
        self, theme: Theme, rules: dict[str, Any], *, everywhere: bool = False
    ) -> None:
        self.page.emulate_media(color_scheme=theme)
        for finding in self.page.evaluate(ASK_AXE, [FINDING | rules, everywhere]):
            where = "; ".join(node["html"] for node in finding["nodes"][:3])
            self.findings.append(f"{self.address} ({theme}): {finding['id']}: {where}")

    def _pieces(self) -> set[str]:
        """The address without what is personal in it and the pieces of the page, at this width."""
        path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[A-Za-z0-9_-]{40,}|\d+", "…", self._path)
        return {f"{self._width} {one}" for one in (path, *self.page.evaluate(PIECES))}

    @property
    def _path(self) -> str:
        return urlsplit(self.address).path

    def _note_origin(self, address: str) -> None:
        if not address.startswith((self.base, "data:", "blob:")):
            self.foreign.add("{0.scheme}://{0.netloc}".format(urlsplit(address)))

    def _note_missing(self, answer: Response) -> None:
        if answer.status >= 400 and answer.request.resource_type != "document":
            self.errors.append(f"{answer.url} answered {answer.status}")

    def _note_error(self, message: ConsoleMessage) -> None:
        # A refused form and a page that is not found are answers, not errors of the page.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.errors.append(message.text)
