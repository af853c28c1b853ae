#!/usr/bin/python3
"""Writes random vectors with the results of the installed tqdm, one JSON object a line, in the form of the files beside
this one. Arguments: a seed, the number of cases, and functions (default: all, weighted as in tqdm-vectors.jsonl)."""

import json
import sys
import warnings
from datetime import datetime, timezone
from random import Random
from unittest import mock

import draw
import draw_bars
import reference
from reference import INFINITY, Bar, Simulation
from tqdm.utils import disp_len

WEIGHTS = {
    "format_sizeof": 150,
    "format_interval": 115,
    "format_num": 175,
    "format_meter": 750,
    "format_meter_eta": 60,
    "disp_len": 30,
    "disp_trim": 60,
    "ema": 60,
    "sim": 700,
}


def format_meter(now=None, **args):
    if args["total"] == "inf":
        args["total"] = INFINITY
    if now is None:
        return reference.pure_meter(**args)
    clock = mock.Mock(wraps=datetime)
    clock.now.return_value = datetime(*now)
    clock.max = datetime.max
    clock.utcfromtimestamp.return_value = datetime.fromtimestamp(0, timezone.utc)
    with mock.patch("tqdm.std.datetime", clock):
        return reference.pure_meter(**args)


def ema(smoothing, xs):
    average = reference.tqdm.std.EMA(smoothing)
    return [average(x) for x in xs]


RUN = {
    "format_sizeof": Bar.format_sizeof,
    "format_interval": Bar.format_interval,
    "format_num": Bar.format_num,
    "format_meter": format_meter,
    "format_meter_eta": format_meter,
    "disp_len": disp_len,
    "disp_trim": reference.trim,
    "ema": ema,
    "sim": lambda tty, ops: Simulation(tty).run(ops),
}


def case(random, fn):
    """Draws until Python accepts the arguments."""
    for _ in range(1000):
        args = getattr(draw_bars if fn == "sim" else draw, fn)(random)
        try:
            return {"fn": fn, "args": args, "out": RUN[fn](**args)}
        except Exception as error:
            refused = error
    raise refused


def main(seed, count, *names):
    random = Random(int(seed))
    warnings.simplefilter("ignore")
    names = names or tuple(WEIGHTS)
    for fn in random.choices(names, [WEIGHTS[name] for name in names], k=int(count)):
        print(json.dumps(case(random, fn), ensure_ascii=False))


if __name__ == "__main__":
    main(*sys.argv[1:])
