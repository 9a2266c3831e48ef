"""The visit trace on disk: the only reader and writer of `cabinet-visit/1`.

A trace is a folder (or the same as one .tar): visit.json, events.jsonl, frames/, truth.json, tally.json.  What is
written was sensed; nothing here judges it.  Refuses a format it does not know and values that cannot be.
"""

from cabinet.trace.codec import FORMAT, TraceError, event_from_dict, event_to_dict, header_from_dict, header_to_dict
from cabinet.trace.reading import digest, read, read_tally, read_truth
from cabinet.trace.recording import Recorder, export, verdict_to_dict, write_tally
from cabinet.trace.whole import truth_to_dict, write

__all__ = [
    "FORMAT",
    "Recorder",
    "TraceError",
    "digest",
    "event_from_dict",
    "event_to_dict",
    "export",
    "header_from_dict",
    "header_to_dict",
    "read",
    "read_tally",
    "read_truth",
    "truth_to_dict",
    "verdict_to_dict",
    "write",
    "write_tally",
]
