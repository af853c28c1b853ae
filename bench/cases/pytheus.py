"""Python's pytheus with its Redis backend, for the bench: `python3 pytheus.py HOST PORT`.

Reads a command a line from standard input and answers with a line of JSON each:
`fill N` makes N series and counts in them, `text` gives what a scrape does, `inc N` and `scrape N` give the seconds
that N of them take.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.environ["PYTHEUS_CHECKOUT"])

from pytheus.backends import load_backend  # noqa: E402
from pytheus.backends.redis import MultiProcessRedisBackend  # noqa: E402
from pytheus.exposition import generate_metrics  # noqa: E402
from pytheus.metrics import Counter  # noqa: E402

host, port = sys.argv[1], int(sys.argv[2])
load_backend(MultiProcessRedisBackend, {"host": host, "port": port})
counter = Counter("requests_total", "Requests.", required_labels=["method", "route", "status"])


def child(number):
    return counter.labels({"method": "GET", "route": f"/api/v1/resources/{number}/items", "status": "200"})


def fill(series):
    for number in range(series):
        child(number).inc(1 + number % 1000)
    return series


def increment(rounds):
    kept = child(0)
    start = time.perf_counter()
    for _ in range(rounds):
        kept.inc()
    return time.perf_counter() - start


def scrape(rounds):
    start = time.perf_counter()
    for _ in range(rounds):
        generate_metrics().encode()
    return time.perf_counter() - start


DO = {"text": lambda _: generate_metrics(), "fill": fill, "inc": increment, "scrape": scrape}

for line in sys.stdin:
    name, _, number = line.strip().partition(" ")
    print(json.dumps(DO[name](int(number or 0))), flush=True)
