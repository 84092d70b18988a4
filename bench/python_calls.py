#!/usr/bin/env python3
"""What a call from Python costs: processor time a call on an empty text (all of it overhead) and on a page.

    PYTHONPATH=python WINNOW_LIBRARY=build/release/install/libwinnow.so bench/python_calls.py
"""

import time

import winnow

PAGE = "\n".join(["Home | About | Contact"] + [
    f"The {k} boats that lay in the harbour had been there since the spring, and the people of the town have long "
    f"known that number {k} would not sail with them." for k in range(25)] + ["Log in"])


def cost(function, text):
    """Least microseconds a call of five rounds: others' work only adds."""
    calls, best = 1, float("inf")
    while True:
        start = time.process_time()
        for _ in range(calls):
            function(text)
        seconds = time.process_time() - start
        if seconds > 0.05:
            break
        calls *= 2
    for _ in range(5):
        start = time.process_time()
        for _ in range(calls):
            function(text)
        best = min(best, (time.process_time() - start) / calls)
    return best * 1e6


rules, refiner = winnow.Rules(), winnow.Refiner()
print(f"{'call':10} {'empty text':>12} {len(PAGE.encode()):>8} bytes   microseconds of processor time")
for name, function in (("rules", rules), ("refiner", refiner), ("refine", lambda t: winnow.refine(t, "remove_lines(0, 0)"))):
    print(f"{name:10} {cost(function, ''):12.1f} {cost(function, PAGE):14.1f}")
