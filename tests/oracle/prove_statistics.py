#!/usr/bin/env python3
"""The figures that tests/unit/test_findings.c expects, made without the program: p values by
numerical integration of Student's density, Holm by its definition, the rest by hand.

    prove_statistics.py      needs mpmath"""
import mpmath as mp

DIFFERENCES = {
    "one": ["-0.05", "-0.03", "-0.06", "-0.02", "-0.04"],
    "two": ["0.01", "-0.02", "0.015", "-0.005", "0.002"],
    "three": ["-0.02", "-0.025", "-0.01", "-0.03", "-0.018"],
}


def density(t, df):
    return mp.gamma((df + 1) / mp.mpf(2)) / (mp.sqrt(df * mp.pi) * mp.gamma(df / mp.mpf(2))) * \
        (1 + t * t / df) ** (-(df + 1) / mp.mpf(2))


def upper_tail(t, df):
    return mp.quad(lambda x: density(x, df), [t, t + 10, mp.inf])


def quantile(tail, df):
    return mp.findroot(lambda t: upper_tail(t, df) - tail, (1, 4), solver="anderson")


def noncentrality(t, df, power):
    """The shift with which t is passed with that probability."""
    def above(shift):
        chi = lambda s: 2 * (df / mp.mpf(2)) ** (df / mp.mpf(2)) / mp.gamma(df / mp.mpf(2)) * s ** (df - 1) * mp.exp(-df * s * s / 2)
        return mp.quad(lambda s: chi(s) * mp.ncdf(shift - t * s), [0, 0.5, 1, 2, 6])
    return mp.findroot(lambda x: above(x) - power, (3, 8), solver="anderson")


def main():
    mp.mp.dps = 20
    p = {}
    for name, texts in DIFFERENCES.items():
        d = [mp.mpf(x) for x in texts]
        n, mean = len(d), mp.fsum(d) / len(d)
        sd = mp.sqrt(mp.fsum((x - mean) ** 2 for x in d) / (n - 1))
        se = sd / mp.sqrt(n)
        p[name] = 2 * upper_tail(abs(mean / se), n - 1)
        half = quantile(mp.mpf("0.025"), n - 1) * se
        seen = noncentrality(quantile(mp.mpf("0.05") / 3 / 2, n - 1), n - 1, mp.mpf("0.8")) * se
        print(name, "mean", mp.nstr(mean, 12), "p", mp.nstr(p[name], 12), "low", mp.nstr(mean - half, 12), "high",
              mp.nstr(mean + half, 12), "detectable", mp.nstr(seen, 12))
    least = mp.mpf(0)
    for i, (name, value) in enumerate(sorted(p.items(), key=lambda x: x[1])):
        least = max(least, min(mp.mpf(1), value * (len(p) - i)))
        print("holm", name, mp.nstr(least, 12))


main()
