"""Commands about questionnaires, for `attune`."""

from pathlib import Path

import click

from practice.intake.instruments import Instrument, UnknownInstrument, instrument
from practice.intake.score_csv import BadSheets, Tally, score_csv


class Unusable(click.ClickException):
    """Input that cannot be used: one line, exit code 2."""

    exit_code = 2


@click.command("score")
@click.argument("code", metavar="INSTRUMENT")
@click.option("--csv", "source", required=True, type=click.Path(path_type=Path), metavar="IN")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="OUT")
@click.option("--missing", default="", metavar="7,9", help="Codes that mean: not answered.")
@click.option("--columns", default="", metavar="A,B,…", help="The items' columns; else 1 to n.")
def score_command(code: str, source: Path, out: Path, missing: str, columns: str) -> None:
    """Score a CSV file of answer sheets, such as phq-9.

    Adds total, band, status and risk to each row. A sheet with an unanswered item gets no total;
    its risk item is judged all the same. At the first cell that is no answer it stops and names
    row and column, and OUT is left as it was.
    """
    try:
        chosen = instrument(code)
        tally = score_csv(chosen, source, out, missing=_listed(missing), columns=_listed(columns))
    except (UnknownInstrument, BadSheets) as refused:
        raise Unusable(str(refused)) from None
    for line in _summary(chosen, tally):
        click.echo(line)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _summary(chosen: Instrument, tally: Tally) -> list[str]:
    counts = {"sheets": tally.sheets}
    counts |= {band.code: tally.bands[band.code] for band in chosen.bands}
    counts |= {"incomplete": tally.incomplete}
    if chosen.risk_item is not None:
        counts |= {"risk": tally.risk}
    return [f"{name} {count}" for name, count in counts.items()]
