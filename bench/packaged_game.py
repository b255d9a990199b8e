"""Play a game of hospitals and residents with PyPI's `matching`; see `bench.packaged`.

Reads JSON: `therapist`, `liking` (clients, k), `capacity`; writes `therapist` and `seconds`.
"""

import json
import sys
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
    began = time.process_time()
    chosen = play(lists, preferences, capacity)
    seconds = time.process_time() - began
    therapist = [chosen.get(client, NOBODY) for client in range(len(asked["therapist"]))]
    json.dump({"therapist": therapist, "seconds": seconds}, sys.stdout)


def play(
    lists: dict[int, list[int]], preferences: dict[int, list[int]], capacity: dict[int, int]
) -> dict[int, int]:
    if not lists:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        game = HospitalResident.create_from_dictionaries(lists, preferences, capacity)
        solved = game.solve(optimal="resident")
    return {resident.name: hospital.name for hospital, kept in solved.items() for resident in kept}


if __name__ == "__main__":
    main()
