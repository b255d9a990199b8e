"""What care tells the rooms on its right, inside the transaction."""

from blinker import Signal

episode_ended = Signal("An Episode ended: send(episode, session=…, actor=…, at=…).")
