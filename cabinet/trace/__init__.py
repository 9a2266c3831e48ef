"""The visit trace on disk: the only reader and writer of `cabinet-visit/1`.

A trace is a folder (or the same as one .tar): visit.json, events.jsonl, frames/, truth.json, tally.json,
evidence.json; in a copy for others withheld.json, too.  What is written was sensed; nothing here judges it.  Refuses a
format it does not know and values that cannot be.
"""

from cabinet.trace.codec import FORMAT, TraceError, event_from_dict, event_to_dict, header_from_dict, header_to_dict
from cabinet.trace.evidence import frame_hashes, judged_hash, manifest, manifest_hash, settle_stills, write_manifest
from cabinet.trace.reading import digest, read, read_manifest, read_tally, read_truth
from cabinet.trace.recording import Recorder, export, verdict_to_dict, write_tally
from cabinet.trace.verifying import Finding, Verified, verify
from cabinet.trace.whole import truth_to_dict, write
from cabinet.trace.withheld import Sign, Withheld, erase_pictures, shown_copy

__all__ = [
    "FORMAT",
    "Finding",
    "Recorder",
    "Sign",
    "TraceError",
    "Verified",
    "Withheld",
    "digest",
    "erase_pictures",
    "event_from_dict",
    "event_to_dict",
    "export",
    "frame_hashes",
    "header_from_dict",
    "header_to_dict",
    "judged_hash",
    "manifest",
    "manifest_hash",
    "read",
    "read_manifest",
    "read_tally",
    "read_truth",
    "settle_stills",
    "shown_copy",
    "truth_to_dict",
    "verdict_to_dict",
    "verify",
    "write",
    "write_manifest",
    "write_tally",
]
