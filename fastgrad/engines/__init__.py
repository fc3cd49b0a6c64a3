"""One file for each way of evaluating the cost, behind one Protocol (see base.py)."""
