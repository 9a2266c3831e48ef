"""Labelled visits in the format cabinet-visit/1, written from the format's description and three examples alone.

For measuring the tally on a world that it was not built with: nothing here imports `cabinet`, and nothing there this.
Refuses nothing; whoever runs it gets traces whose truth is known.  `python -m tests.foreign OUT -n 100 --seed 1`.

Estimated from the examples' samples (12 zones of 3 visits, 80 Hz):
  rest noise       sd 0.7 to 1.45 g a zone, white, differing between zones; readings are whole grams
  fan              23.6 Hz, 2 g amplitude, on in some zones for 5 to 10 s, off in others
  wander           under 0.5 g in 10 s
  hand             in 3 of 8 steps it first presses 25 to 65 g for 0.15 to 0.4 s
  transfer         0.15 to 0.45 s, uneven: fast, halting, fast again
  ringing          9.5 Hz, 2 to 5 % of the step, gone in 0.11 s (1/e)
  neighbours       0.33 % of a step appears in every other zone, with the same sign, from the same moment
  slam             7.0 Hz, 50 g, 0.28 s (1/e), the same in all zones, starts with the door's event
  tray             zones read 850 g more than their goods weigh
  masses           header within 0.5 % of the catalogue; spread 0.5 to 1.2 %, at least 0.6 g
  cameras          a move is seen by a camera in 14 of 18 cases, 1 of 14 prefers a wrong SKU; 0.3 to 0.6 s late
  scores           like a softmax over 24 SKUs of logits with spread 1; the six best kept, the rest in `other`
  door             opens at 1.3 to 2.2 s, the bolt follows the closing by 0.25 s, samples end 3 s after it
"""
