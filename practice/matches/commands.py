"""`attune match`: rank the therapists of this installation for a client written down as JSON."""

import json
import sys
from pathlib import Path
from typing import NoReturn

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError, ProgrammingError

import matching
from core.clock import now
from practice.matches.changes import the_version
from practice.matches.market import market_for
from practice.matches.vocabulary import engine_vocabulary

WRONG_INPUT = 2


@click.command("match")
@click.argument("client_file", metavar="CLIENT.json", type=click.Path(path_type=Path))
@click.option("--limit", type=click.IntRange(min=0), default=10, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_appcontext
def match_command(client_file: Path, limit: int, as_json: bool) -> None:
    """Rank therapists for the client described in CLIENT.json.

    Only therapists who are verified, licensed and up to date are looked at. A file that cannot be
    read ends with one line and exit code 2.
    """
    client = _client(client_file)
    ranking, names = _ranked(client, limit)
    click.echo(_json(ranking, names) if as_json else _table(ranking, names))


def _client(path: Path) -> matching.Client:
    try:
        return matching.Client.from_json(
            json.loads(path.read_text(encoding="utf-8")), engine_vocabulary()
        )
    except OSError as error:
        _stop(f"{path} cannot be read: {error.strerror or 'it is no file'}")
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        _stop(f"{path} is not JSON")
    except matching.BadClient as bad:
        _stop(f"{path}: {bad}")


def _stop(words: str) -> NoReturn:
    click.echo(f"attune: {words}", err=True)
    sys.exit(WRONG_INPUT)


def _ranked(client: matching.Client, limit: int) -> tuple[matching.Ranking, dict[str, str]]:
    """The ranking, and the name of each in it by public id."""
    try:
        version = the_version()
        market = market_for(now(), client.on, version)
        with market.held() as index:
            ranking = index.rank(client, market.weights, limit)
        profiles = market.profiles([match.id for match in ranking.results], version, now())
    except (OperationalError, ProgrammingError):
        _stop("the database cannot be read; `attune db upgrade` brings it up to date")
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
    lines = [_line(place, match, names[match.id]) for place, match in enumerate(ranking.results, 1)]
    left_out = ", ".join(f"{rule} {count}" for rule, count in ranking.excluded.items() if count)
    return "\n".join(
        [
            *(lines or ["Nobody fits."]),
            "",
            f"{ranking.considered} looked at; left out by {left_out or 'no rule'}.",
        ]
    )


def _line(place: int, match: matching.Match, name: str) -> str:
    shown = matching.thousandths(match.points)
    parts = "  ".join(f"{factor} {points}" for factor, points in shown.items())
    return f"{place:>3}  {matching.shown_total(match.total):>4}  {name:<28}  {parts}"
