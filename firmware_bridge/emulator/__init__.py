"""The board's own firmware on a simulated chip, and round it the lock, the door, the shelves and what breaks there.

Two processes: the chip (chip.py: MicroPython's unix port, or CPython) and its surroundings (supervisor.py), which go on
when the chip hangs.  It shares no code and no constant with the host's side (frames, link, messages): the tests hold
both against the golden bytes of PROTOCOL.md, so a change on one side alone cannot pass.
"""
