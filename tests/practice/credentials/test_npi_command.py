from click.testing import CliRunner, Result

from practice.credentials.commands import npi_command


def run(*numbers: str) -> Result:
    return CliRunner().invoke(npi_command, list(numbers))


def test_valid_numbers_end_well() -> None:
    result = run("1234567893", "1245319599")
    assert (result.exit_code, result.output) == (0, "1234567893 valid\n1245319599 valid\n")


def test_one_wrong_number_among_others_is_a_negative_answer() -> None:
    result = run("1234567890", "1234567893", "12")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "1234567890 not valid: the check digit should be 3",
        "1234567893 valid",
        "12 not valid: it must be ten digits",
    ]


def test_no_number_is_wrong_usage() -> None:
    assert run().exit_code == 2
