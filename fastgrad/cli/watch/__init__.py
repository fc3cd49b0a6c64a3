"""`fastgrad watch`: a check after each save. session.py is its loop, changes.py says what a save changed."""
