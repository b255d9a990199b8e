"""A browser's name in words its owner knows again: "Firefox on Windows"."""

# The order matters: most browsers also claim to be Chrome and Safari.
NAMES = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "Chromebook"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """The plain name behind a User-Agent header; what is not known is "A browser"."""
    name = _first(NAMES, user_agent) or "A browser"
    system = _first(SYSTEMS, user_agent)
    return f"{name} on {system}" if system else name


def _first(table: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((words for mark, words in table if mark in user_agent), "")
