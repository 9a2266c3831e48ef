"""A byte-true board in a process of its own: the wire, the firmware's rules, and the cabinet round it.

It shares no code and no constant with the host's side (frames, link, messages): both copy PROTOCOL.md, and
the tests hold both against its golden bytes, so a change on one side alone cannot pass.
"""
