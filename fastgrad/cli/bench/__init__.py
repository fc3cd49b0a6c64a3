"""`fastgrad bench`: how fast each engine is on this machine, with one worker and with more."""
