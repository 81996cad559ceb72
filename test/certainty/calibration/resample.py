"""Draws vouchers anew, as often as each amount was used, and tells how often another amount wins.

Reads {"cells": [[[amount, assignments], ...], ...], "draws": n, "seed": n} and prints, for each cell, the share of the draws in which
another amount than at first is used most often. Of amounts that are used equally often the smaller one wins.
"""

import json
import sys

import numpy

# No amount that is used less often than this, beside the winner, wins a draw of this size.
FAR_BEHIND = 0.5
FEW = 30


def winner(counts):
    """The place of the largest count; amounts are sorted, so the first of several is the smallest amount."""
    return counts.argmax(axis=-1)


def share_that_differs(uses, draws, random):
    amounts, counts = numpy.array(sorted(uses)).T
    total = counts.sum()
    first = winner(counts)
    if total >= FEW:
        near = counts >= FAR_BEHIND * counts[first]
        others = total - counts[near].sum()
        first = winner(counts[near])
        chances = numpy.append(counts[near], others) / total
        drawn = random.multinomial(total, chances, draws)[:, :-1]
    else:
        drawn = random.multinomial(total, counts / total, draws)
    return float((winner(drawn) != first).mean())


question = json.load(sys.stdin)
random = numpy.random.default_rng(question["seed"])
json.dump([share_that_differs(uses, question["draws"], random) for uses in question["cells"]], sys.stdout)
