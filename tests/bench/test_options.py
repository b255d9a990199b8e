"""What cannot be measured is refused in one line, before anything is made."""

from importlib import import_module

import pytest

from bench.options import Options


@pytest.fixture
def options() -> Options:
    options = Options("bench.rank", "Ranking a nation.\n\nAnd more.")
    options.count("--therapists", 1_000)
    options.count("--rounds", 7, at_least=2)
    options.figure("--recorded", 0.25, at_least=0, at_most=1)
    return options


def test_what_is_not_said_is_what_the_bench_begins_with(options: Options) -> None:
    read = options.parse_args(["--recorded", "1", "--rounds", "2"])
    assert (read.therapists, read.rounds, read.recorded, read.json) == (1_000, 2, 1.0, False)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--therapists", "0"],
        ["--therapists", "-3"],
        ["--therapists=-3"],
        ["--therapists", "1e3"],
        ["--rounds", "1"],
        ["--recorded", "1.1"],
        ["--recorded=-0.1"],
        ["--recorded", "nan"],
        ["--recorded", "half"],
        ["--colour", "blue"],
    ],
)
def test_what_cannot_be_measured_is_one_line_and_exit_2(
    options: Options, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        options.parse_args(arguments)
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert told.out == ""
    assert told.err.startswith("python -m bench.rank: ")
    assert len(told.err.splitlines()) == 1


@pytest.mark.parametrize("name", ["allocate", "learn", "ledger", "market", "pages", "rank"])
def test_every_bench_refuses_what_it_cannot_measure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    figure = "--seeds" if name == "learn" else "--rounds"
    monkeypatch.setattr("sys.argv", [name, figure, "-1"])
    with pytest.raises(SystemExit) as ended:
        import_module(f"bench.{name}").main()
    assert ended.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"python -m bench.{name}: argument {figure}: '-1' is no whole number")
