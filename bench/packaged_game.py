"""Play a game of hospitals and residents with PyPI's `matching`; see `bench.packaged`.

Reads JSON: `therapist`, `liking` (clients, k), `capacity`; writes `therapist`, and `seconds` for
setting the game up and solving it, `solving` for the latter alone.
"""

import json
import sys
import threading
import time
import warnings

sys.path.insert(0, sys.argv[1])

from matching.games import HospitalResident

NOBODY = -1


def main() -> None:
    asked = json.load(sys.stdin)
    capacity = {at: places for at, places in enumerate(asked["capacity"]) if places}
    lists = {
        client: [each for each in row if each in capacity]
        for client, row in enumerate(asked["therapist"])
    }
    lists = {client: row for client, row in lists.items() if row}
    liked: dict[int, list[tuple[int, int]]] = {}
    for client in lists:
        for each, liking in zip(asked["therapist"][client], asked["liking"][client], strict=True):
            if each in capacity:
                liked.setdefault(each, []).append((-liking, client))
    preferences = {each: [client for _, client in sorted(who)] for each, who in liked.items()}
    capacity = {each: capacity[each] for each in preferences}
    chosen, seconds, solving = play(lists, preferences, capacity)
    therapist = [chosen.get(client, NOBODY) for client in range(len(asked["therapist"]))]
    json.dump({"therapist": therapist, "seconds": seconds, "solving": solving}, sys.stdout)


def play(
    lists: dict[int, list[int]], preferences: dict[int, list[int]], capacity: dict[int, int]
) -> tuple[dict[int, int], float, float]:
    """Whom each client gets, the seconds of setting up and solving, and those of solving alone."""
    if not lists:
        return {}, 0.0, 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        began = time.process_time()
        game = HospitalResident.create_from_dictionaries(lists, preferences, capacity)
        ready = time.process_time()
        solved = game.solve(optimal="resident")
        done = time.process_time()
    chosen = {
        resident.name: hospital.name for hospital, kept in solved.items() for resident in kept
    }
    return chosen, done - began, done - ready


if __name__ == "__main__":
    # The package copies its players one inside the other.
    sys.setrecursionlimit(10**6)
    threading.stack_size(512 * 2**20)
    player = threading.Thread(target=main)
    player.start()
    player.join()
