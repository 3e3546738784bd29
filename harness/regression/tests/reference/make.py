"""Writes `values.json`: series, and what SciPy and statsmodels compute from them.

Usage: pip install scipy statsmodels; python3 make.py > values.json
"""

import json

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests

random = np.random.default_rng(20)


def rank_sum(high, low, axis):
    ranks = stats.rankdata(np.concatenate((high, low), axis=axis), axis=axis)
    return ranks.take(range(high.shape[axis]), axis=axis).sum(axis=axis)


def exact(low, high):
    """Without ties, the exact distribution; with ties, that of all permutations."""
    if len(set(low) | set(high)) == len(low) + len(high):
        test = stats.mannwhitneyu(high, low, alternative="greater", method="exact")
        return test.pvalue
    test = stats.permutation_test(
        (np.array(high), np.array(low)),
        rank_sum,
        vectorized=True,
        n_resamples=np.inf,
        alternative="greater",
    )
    return test.pvalue


def case(low, high):
    low, high = [float(value) for value in low], [float(value) for value in high]
    logs = np.subtract.outer(np.log(high), np.log(low))
    bootstrap = stats.bootstrap(
        (low, high),
        lambda low, high: np.exp(np.median(np.subtract.outer(np.log(high), np.log(low)))),
        vectorized=False,
        n_resamples=20_000,
        method="percentile",
        confidence_level=0.9,
        rng=1,
    )
    return {
        "low": low,
        "high": high,
        "mann_whitney": float(exact(low, high)),
        "hodges_lehmann": float(np.exp(np.median(logs))),
        "interval": [float(end) for end in bootstrap.confidence_interval],
        "noise": float(stats.median_abs_deviation(low) / np.median(low)),
    }


def series(count, factor=1.0):
    return np.round(100 * factor * random.lognormal(0, 0.19, count), 6)


cases = [case(series(n), series(m, f)) for n, m, f in [(4, 4, 1.3), (8, 8, 1.0), (8, 8, 1.3), (5, 12, 1.2), (30, 30, 1.1)]]
cases += [case(random.integers(1, 6, n), random.integers(1, 8, m)) for n, m in [(4, 5), (7, 7), (8, 8), (9, 6)]]
sets = [[0.01, 0.04, 0.03, 0.005], [0.2], [0.5, 0.5, 0.02], [0.0, 1.0, 0.9, 0.049]]
sets = [{"p": p, "corrected": multipletests(p, method="holm")[1].tolist()} for p in sets]
print(json.dumps({"cases": cases, "holm": sets}, indent=1))
