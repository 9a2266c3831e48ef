"""What the tally is measured against: simpler ways to a bill, and the tally with a sense taken from it.

Pure, and never part of a verdict: only the evaluation imports it.
"""
