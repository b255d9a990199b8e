"""`attune match`: rank the therapists here for a client written down as JSON, or replay a list."""

import json
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError, ProgrammingError

import matching
from core.clock import now
from core.database import unit_of_work
from practice.matches.market.changes import the_version
from practice.matches.market.in_place import market_for
from practice.matches.market.vocabulary import engine_vocabulary
from practice.matches.replaying import NoSuchList, Replay, ReplayReason, Verdict, replay
from practice.places import UnknownPlace, place

WRONG_INPUT = 2
NEGATIVE = 1
RANK = "rank"
OPERATOR = "operator"
UNREADABLE = "the database cannot be read; `attune db upgrade` brings it up to date"
VERDICTS = {
    Verdict.same: "equal to the point",
    Verdict.other_points: "the points differ from those that were shown",
    Verdict.changed: "what is kept is not what was written down when it was shown",
    Verdict.unopened: "what is kept does not open: it was changed from outside",
    Verdict.unknown: "another engine made it and its points were not kept: nothing can be said",
}


class GivenTwice(ValueError):
    """A key stands twice in one JSON object."""


class MatchGroup(click.Group):
    """What is no command of its own is a client's file: `attune match CLIENT.json`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [RANK, *args]
        return super().parse_args(ctx, args)


@click.group("match", cls=MatchGroup)
def match_command() -> None:
    """Rank therapists for a client's file, or work a list out again that was shown.

    `attune match CLIENT.json` is short for `attune match rank CLIENT.json`.
    """


@match_command.command(RANK)
@click.argument("client_file", metavar="CLIENT.json", type=click.Path(path_type=Path))
@click.option("--limit", type=click.IntRange(min=0), default=10, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def rank_command(client_file: Path, limit: int, as_json: bool) -> None:
    """Rank therapists for the client described in CLIENT.json.

    Only therapists who are verified, licensed and up to date are looked at. A file that cannot be
    read ends with one line and exit code 2.
    """
    client = _client(client_file)
    ranking, names = _ranked(client, limit)
    click.echo(_json(ranking, names) if as_json else _table(ranking, names))


@match_command.command("replay")
@click.argument("number", metavar="ID", type=click.UUID)
@click.option(
    "--reason",
    type=click.Choice([*ReplayReason]),
    default=ReplayReason.check.value,
    show_default=True,
    help="The person it was shown to can read it.",
)
@with_appcontext
def replay_command(number: uuid.UUID, reason: str) -> None:
    """Work the list of this number out again, line by line, and compare it with what was shown.

    ID is the number that stands beside the list and in the person's copy. It says nothing of their
    answers or of who they are, and is written down for them. Exit 1 when anything differs or when
    there is no such list.
    """
    try:
        with unit_of_work() as session:
            found = replay(
                session,
                number,
                ReplayReason(reason),
                actor_id=None,
                actor_role=OPERATOR,
                at=now(),
            )
    except NoSuchList as refusal:
        _stop(refusal.message, NEGATIVE)
    except (OperationalError, ProgrammingError):
        _stop(UNREADABLE)
    for line in _replay_lines(found):
        click.echo(line)
    if found.verdict is not Verdict.same:
        _stop(VERDICTS[found.verdict], NEGATIVE)
    click.echo(VERDICTS[found.verdict])


def _replay_lines(found: Replay) -> Iterator[str]:
    yield (
        f"shown {found.made_at:%Y-%m-%d %H:%M} UTC, weights version {found.weights_version}, "
        f"engine {found.engine_version} (here {matching.ENGINE_VERSION})"
    )
    told = f"; told as number {found.place_told} of the whole list" if found.place_told else ""
    yield f"{found.kind.label}{told}"
    for number, one in enumerate(found.therapists, 1):
        yield f"{number:>3}  {one.name}: {_both(one.total, one.total_shown)}"
        for line in one.lines:
            yield f"     {line.label:<36}{_both(line.now, line.shown)}"


def _both(now: int, shown: int | None) -> str:
    if shown is None or shown == now:
        return f"{now:>9}"
    return f"{now:>9}  (shown: {shown})"


def _client(path: Path) -> matching.Client:
    try:
        told = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_each_once)
        client = matching.Client.from_json(told, engine_vocabulary())
        place(client.place)
    except OSError as error:
        _stop(f"{path} cannot be read: {error.strerror or 'it is no file'}")
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        _stop(f"{path} is not JSON")
    except GivenTwice as twice:
        _stop(f"{path}: {twice}; keep one")
    except UnknownPlace:
        _stop(f"{path}: place: {client.place!r} is not a place here; write one such as US-WA")
    except matching.BadClient as bad:
        _stop(f"{path}: {bad}")
    return client


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """One JSON object. Of a key that stands twice the later would count, and nobody would know."""
    known = dict(pairs)
    if len(known) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise GivenTwice(f"{json.dumps(counts.most_common(1)[0][0])} is given twice")
    return known


def _stop(words: str, code: int = WRONG_INPUT) -> NoReturn:
    """In one line, whatever was read."""
    click.echo(f"attune: {' '.join(words.splitlines())}", err=True)
    sys.exit(code)


def _ranked(client: matching.Client, limit: int) -> tuple[matching.Ranking, dict[str, str]]:
    """The ranking, and the name of each in it by public id."""
    try:
        version = the_version()
        market = market_for(now(), client.on, version)
        with market.held() as index:
            ranking = index.rank(client, market.weights, limit)
        profiles = market.profiles([match.id for match in ranking.results], version, now())
    except (OperationalError, ProgrammingError):
        _stop(UNREADABLE)
    return ranking, {profile.id: profile.name for profile in profiles}


def _json(ranking: matching.Ranking, names: dict[str, str]) -> str:
    results = [
        {"id": match.id, "name": names[match.id], "total": match.total} | {"points": match.points}
        for match in ranking.results
    ]
    return json.dumps(
        {"results": results, "considered": ranking.considered, "excluded": ranking.excluded}
    )


def _table(ranking: matching.Ranking, names: dict[str, str]) -> str:
    lines = [
        _line(number, match, names[match.id]) for number, match in enumerate(ranking.results, 1)
    ]
    left_out = ", ".join(f"{rule} {count}" for rule, count in ranking.excluded.items() if count)
    return "\n".join(
        [
            *(lines or ["Nobody fits."]),
            "",
            f"{ranking.considered} looked at; left out by {left_out or 'no rule'}.",
        ]
    )


def _line(number: int, match: matching.Match, name: str) -> str:
    shown = matching.thousandths(match.points)
    parts = "  ".join(f"{factor} {points}" for factor, points in shown.items())
    return f"{number:>3}  {matching.shown_total(match.total):>4}  {name:<28}  {parts}"
