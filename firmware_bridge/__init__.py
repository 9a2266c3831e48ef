"""The serial board of a smart cabinet, seen from the host: frames, link, messages, asyncio shell, emulator.

It knows nothing of shops, members or money.  PROTOCOL.md is the contract of both sides.
"""
