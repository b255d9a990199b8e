"""That nobody is shown from before a change, and nobody is the one who waits."""

from tests.controls.control import Control

MARKET = "practice/matches/market/in_place.py"
OF_PROCESSES = "tests/practice/matches/market/test_of_processes.py"
WARMING = "tests/practice/matches/market/test_warming.py"

CONTROLS = (
    Control(
        "a page looks whether another process has changed who can be found",
        "what is kept is good whatever the version",
        MARKET,
        "return self.is_of(version, at) and is_newer and not self._ends.is_due(at)",
        "return self.is_of(version, at) and not self._ends.is_due(at)",
        (f"{OF_PROCESSES}::test_a_full_therapist_is_gone_from_the_next_page_of_another_process",),
    ),
    Control(
        "a web process lays the market out when it starts",
        "the first visitor waits for it",
        "practice/wsgi.py",
        "\nwarm_up(app)\n",
        "\n",
        (f"{OF_PROCESSES}::test_a_web_process_lays_the_market_out_before_anybody_asks",),
    ),
    Control(
        "whoever asks while the market is laid out waits for that and begins no second one",
        "each lays it out by themselves",
        MARKET,
        "    with kept.lock:\n        return _kept_up(kept, week, version, at)",
        "    return _kept_up(kept, week, version, at)",
        (f"{WARMING}::test_who_asks_meanwhile_waits_for_it_and_begins_no_second_one",),
    ),
    Control(
        "a start at which the market cannot be laid out does not end the process's pages",
        "the error is not caught",
        "practice/matches/market/warming.py",
        "    except Exception as error:\n",
        "    except KeyError as error:\n",
        (f"{WARMING}::test_a_start_that_fails_leaves_it_to_the_first_page",),
    ),
)
