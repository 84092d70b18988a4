#!/usr/bin/env python3
"""Non-negative least squares against scipy's.

    nnls_vs_scipy.py PATH/TO/nnls_dump

Random problems, tall and wide, with columns that are alike and targets that are reached or not;
the residuals must be equal, and the weights where the columns are independent.  Exits 77 (skipped)
without scipy, 1 where they differ.
"""
import subprocess
import sys

try:
    import numpy as np
    from scipy.optimize import nnls
except ImportError as e:
    print(f"skipped: {e}")
    sys.exit(77)

r = np.random.default_rng(1)
problems, text = [], []
for trial in range(120):
    n = int(r.integers(1, 160))
    d = int(r.integers(n, 2 * n + 2)) if trial % 3 else int(r.integers(2, n + 2))
    a = r.normal(size=(d, n)) + (trial % 4) * 0.5
    if trial % 5 == 0 and n > 3:
        a[:, n // 2 :] = a[:, : n - n // 2] + 0.05 * r.normal(size=(d, n - n // 2))
    a /= np.linalg.norm(a, axis=0)
    b = a @ np.maximum(r.normal(size=n), 0) + 0.1 * (trial % 2) * r.normal(size=d)
    b /= np.linalg.norm(b) or 1
    problems.append((a, b, d >= n))
    text.append(f"{n}\n" + " ".join(map(repr, (a.T @ a).ravel().tolist())) + "\n" + " ".join(map(repr, (a.T @ b).tolist())) + "\n")
lines = subprocess.run(sys.argv[1], input="".join(text), text=True, check=True, stdout=subprocess.PIPE).stdout.splitlines()
assert len(lines) == len(problems), (len(lines), len(problems))
worst, worst_weight = 0.0, 0.0
for line, (a, b, tall) in zip(lines, problems):
    w = np.array(line.split(), dtype=float)
    theirs, residual = nnls(a, b, maxiter=100 * a.shape[1])
    assert (w >= 0).all()
    worst = max(worst, abs(np.linalg.norm(a @ w - b) - residual))
    if tall:
        worst_weight = max(worst_weight, np.abs(w - theirs).max())
print(f"{len(problems)} problems: residuals differ by {worst:.1e} at most, weights of independent columns by {worst_weight:.1e}")
sys.exit(int(worst > 1e-7 or worst_weight > 1e-5))
