"""Connectionist temporal classification: a dynamic programme by loops."""

from __future__ import annotations

import numpy as np

from traced_costs.case import Case

BLANK = 0

# logits: (steps, symbols); s = a place in the labels with blanks between


def with_blanks(labels):
    """The labels with a blank before, between and behind."""
    found = [BLANK]
    for label in labels:
        found += [label, BLANK]
    return found


def log_softmax(logits):
    """Of each step."""
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))


def forward(logp, extended):
    """The log-probabilities of all ways to each place at each step, entry by entry."""
    steps, places = len(logp), len(extended)
    alpha = np.full((steps, places), -np.inf)
    alpha[0, 0] = logp[0, extended[0]]
    alpha[0, 1] = logp[0, extended[1]]
    for t in range(1, steps):
        for s in range(places):
            total = alpha[t - 1, s]
            if s > 0:
                total = np.logaddexp(total, alpha[t - 1, s - 1])
            if s > 1 and extended[s] != BLANK and extended[s] != extended[s - 2]:
                total = np.logaddexp(total, alpha[t - 1, s - 2])
            alpha[t, s] = total + logp[t, extended[s]]
    return alpha


def ctc_cost(logits, labels):
    """Minus the log-probability of the labels."""
    alpha = forward(log_softmax(logits), with_blanks(labels))
    return -np.logaddexp(alpha[-1, -1], alpha[-1, -2])


def ctc_gradient(logits, labels, mistake=False):
    """Softmax less the expected counts. The mistake: the backward pass starts at the last blank alone."""
    logp, extended = log_softmax(logits), with_blanks(labels)
    alpha = forward(logp, extended)
    beta = forward(logp[::-1], extended[::-1])[::-1, ::-1]
    total = np.logaddexp(alpha[-1, -1], alpha[-1, -2])
    found = np.exp(logp)
    for t in range(len(logits)):
        for s, label in enumerate(extended):
            if mistake and t == len(logits) - 1 and s == len(extended) - 2:
                continue
            found[t, label] -= np.exp(alpha[t, s] + beta[t, s] - logp[t, label] - total)
    return found


def ctc(steps=6, symbols=4):
    """A Case of CTC."""
    rng = np.random.default_rng(0)
    return Case("CTC by loops", ctc_cost, ctc_gradient, rng.normal(size=(steps, symbols)), ([1, 2, 2],))


CASES = [ctc()]
