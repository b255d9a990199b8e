"""`attune match`: rank the therapists of this installation for a client written down as JSON."""

import json
import sys
from pathlib import Path
from typing import NoReturn

import click
import sqlalchemy as sa
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError, ProgrammingError

import matching
from core.clock import now
from core.database import db
from practice.matches.market import Market, market_for, the_stamp
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
    market = _market(client)
    ranking = market.index.rank(client, market.weights, limit)
    click.echo(_json(market, ranking) if as_json else _table(market, ranking))


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


def _market(client: matching.Client) -> Market:
    try:
        return market_for(now(), client.on, db.session.scalar(sa.select(the_stamp())))
    except (OperationalError, ProgrammingError):
        _stop("the database cannot be read; `attune db upgrade` brings it up to date")


def _json(market: Market, ranking: matching.Ranking) -> str:
    results = [
        {"id": match.id, "name": market.profiles[match.id].name, "total": match.total}
        | {"points": match.points}
        for match in ranking.results
    ]
    return json.dumps(
        {"results": results, "considered": ranking.considered, "excluded": ranking.excluded}
    )


def _table(market: Market, ranking: matching.Ranking) -> str:
    lines = [_line(place, match, market) for place, match in enumerate(ranking.results, 1)]
    left_out = ", ".join(f"{rule} {count}" for rule, count in ranking.excluded.items() if count)
    return "\n".join(
        [
            *(lines or ["Nobody fits."]),
            "",
            f"{ranking.considered} looked at; left out by {left_out or 'no rule'}.",
        ]
    )


def _line(place: int, match: matching.Match, market: Market) -> str:
    shown = matching.thousandths(match.points)
    parts = "  ".join(f"{factor} {points}" for factor, points in shown.items())
    name = market.profiles[match.id].name
    return f"{place:>3}  {matching.shown_total(match.total):>4}  {name:<28}  {parts}"
