"""What the source keeps away from: ways in which words become commands, and weak ciphers."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SANDBOX = ROOT / "billing/sandbox"
OURS = [
    path
    for folder in ("core", "billing", "matching", "practice")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
READS_OBJECTS = {"pickle", "marshal", "shelve", "dill", "yaml", "jsonpickle"}
READS_XML = {"xml", "lxml", "defusedxml", "xmltodict"}
# HMAC and SHA-2 come with Python; everything else from libraries that others examine.
CIPHERS = {"argon2", "cryptography", "hashlib", "hmac", "secrets", "pyotp", "webauthn", "ssl"}
NOT_CIPHERS = {"Crypto", "Cryptodome", "nacl", "rsa", "ecdsa", "jwt", "jose", "bcrypt", "passlib"}
WEAK = {"md5", "sha1", "md4", "SHA1", "MD5", "ECB", "CBC", "CFB", "CFB8", "OFB", "CTR"} | {
    "TripleDES", "Blowfish", "CAST5", "ARC4", "RC4", "IDEA", "SEED", "PKCS1v15", "Fernet",
}  # fmt: skip
STATEMENTS = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|DROP|ALTER|WHERE|ORDER BY)\b")


def test_no_text_is_ever_run_as_code() -> None:
    for path in OURS:
        for call in calls_of(path):
            assert name_of(call.func) not in RUNS_TEXT, f"{path}:{call.lineno}"


def test_objects_are_read_from_nothing_but_json() -> None:
    for path in OURS:
        assert not modules_of(path) & READS_OBJECTS, path


def test_nothing_reads_xml() -> None:
    for path in OURS:
        assert not modules_of(path) & READS_XML, path


def test_other_programs_are_started_without_a_shell() -> None:
    for path in OURS:
        for call in calls_of(path):
            told = ast.unparse(call.func)
            assert told not in {"os.system", "os.popen"}, f"{path}:{call.lineno}"
            shells = [one for one in call.keywords if one.arg == "shell"]
            assert not shells, f"{path}:{call.lineno}"


def test_no_page_starts_another_program() -> None:
    for path in OURS:
        if path.name in {"views.py", "operations.py", "queries.py"} or "views" in path.parts:
            assert "subprocess" not in modules_of(path), path


def test_no_statement_is_put_together_from_what_somebody_typed() -> None:
    """Texts of SQL stand whole in the source; their parts are names from our own tables."""
    for path in OURS:
        for call in calls_of(path):
            if name_of(call.func) in {"text", "exec_driver_sql", "literal_column"}:
                for name in names_in_text(call):
                    assert name.islower() or name.isupper(), f"{path}:{call.lineno}"
                    assert not {"request", "form", "args"} & set(name.split("_")), path


def test_no_page_takes_a_file() -> None:
    """Files come later, with a way to look at what they hold."""
    for path in OURS:
        if not path.is_relative_to(SANDBOX):
            source = path.read_text()
            assert "request.files" not in source, path
            assert "FileField" not in source, path
    for path in (ROOT / "templates").rglob("*.html"):
        assert 'type="file"' not in path.read_text(), path


def test_scripts_put_words_on_a_page_only_as_text() -> None:
    scripts = sorted((ROOT / "static").rglob("*.js"))
    assert scripts
    turns_text_into_markup = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setHTML"
        r"|srcdoc|createContextualFragment|parseFromString|set(Timeout|Interval)\(\s*[\"'`]"
    )
    for path in scripts:
        assert not turns_text_into_markup.search(path.read_text()), path


def test_scripts_keep_nothing_in_the_browser() -> None:
    """What a page knew is gone with it: nothing stays for whoever uses the machine next."""
    for path in sorted((ROOT / "static").rglob("*.js")):
        source = path.read_text()
        for store in ("localStorage", "indexedDB", "document.cookie", "caches.", "serviceWorker"):
            assert store not in source, f"{path}: {store}"


def test_ciphers_come_from_libraries_that_others_examine() -> None:
    for path in OURS:
        assert not modules_of(path) & NOT_CIPHERS, path


def test_no_weak_cipher_mode_or_hash_is_used() -> None:
    looked_at = [path for path in OURS if modules_of(path) & CIPHERS]
    assert looked_at
    for path in looked_at:
        for node in nodes_of(path):
            names = {getattr(node, part, "") for part in ("attr", "id", "name", "value")}
            assert not WEAK & {name for name in names if isinstance(name, str)}, (path, node.lineno)


def test_what_nobody_may_guess_comes_from_the_systems_own_source() -> None:
    """`random` can be foretold from what it gave before; demos and the sandbox may use it."""
    for path in OURS:
        if not path.is_relative_to(SANDBOX) and "seed" not in path.parts:
            assert "random" not in modules_of(path), path


def test_no_secret_is_written_into_the_source() -> None:
    """A long text of one piece with letters and digits mixed is a key until proven otherwise."""
    for path in OURS:
        for node in nodes_of(path):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not looks_like_a_key(node.value), f"{path}:{node.lineno}"


def looks_like_a_key(text: str) -> bool:
    digits = sum(letter.isdigit() for letter in text)
    if re.fullmatch(r"[0-9a-f]{32,}|[0-9A-F]{32,}", text):
        return digits >= 4 and len(set(text)) > 8
    mixed = not (text.islower() or text.isupper())
    whole = re.fullmatch(r"[A-Za-z0-9+/=_-]{24,}", text)
    return bool(whole) and mixed and digits >= 4 and len(set(text)) > 12


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


def calls_of(path: Path) -> Iterator[ast.Call]:
    for node in nodes_of(path):
        if isinstance(node, ast.Call):
            yield node


def name_of(function: ast.expr) -> str:
    """The bare name of a call, or the last part of a dotted one that is not a method of ours."""
    if isinstance(function, ast.Name):
        return function.id
    if isinstance(function, ast.Attribute) and function.attr not in RUNS_TEXT:
        return function.attr
    return ""


def names_in_text(call: ast.Call) -> Iterator[str]:
    for argument in call.args[:1]:
        for node in ast.walk(argument):
            if isinstance(node, ast.FormattedValue):
                yield from (part.id for part in ast.walk(node) if isinstance(part, ast.Name))


@cache
def modules_of(path: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
    return frozenset(found)
