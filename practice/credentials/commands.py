"""Commands about credentials, for `attune`."""

import sys

import click

from practice.npi import find_fault


@click.command("npi")
@click.argument("numbers", metavar="CHECK...", nargs=-1, required=True)
def npi_command(numbers: tuple[str, ...]) -> None:
    """Check the digits of NPI numbers, one line a number; exit 1 if any is not valid.

    A valid number is well formed. Whether it belongs to somebody, only the registry says.
    """
    faults = [find_fault(number) for number in numbers]
    for number, fault in zip(numbers, faults, strict=True):
        click.echo(f"{number} not valid: {fault.brief}" if fault else f"{number} valid")
    if any(faults):
        sys.exit(1)
