"""Draws simulations: bars, and operations on them, which reference.py runs."""

import re

from draw import CHARSETS, COLOURS, POSTFIX_FORMATS, UNITS, bar_format, bar_text, maybe

POSTFIXES = [{"acc": 0.125, "loss": "low"}, {"k": "v"}, {"a": 1}, {"b": 2, "a": 1e-07}, "text", 5, "", {}]
VALUES = [1, 42, 0.5, 0.123456, 3.14159, 1e-07, 123456, 1234567890, -3, "ok", "", " pad ", "良い"]


def uncut_format(r):
    """Returns a format that cuts no text: Metheus, unlike tqdm, removes the rest of a colour that was cut."""
    drawn = bar_format(r)
    while re.search(r"\{(desc|l_bar)[^}]*\.\d", drawn):
        drawn = bar_format(r)
    return drawn


def bar(r, iterable=False):
    kwargs = {}
    if not iterable:
        kwargs["total"] = r.choice([None, "inf", 0, 1, 4, 5, 7, 8, 10, 10, 20, 33, 50, 64, 100, 1000, 12.5])
    maybe(r, 0.45, kwargs, "desc", [bar_text(r), bar_text(r), None])
    maybe(r, 0.3, kwargs, "leave", [True, False, None])
    maybe(r, 0.45, kwargs, "mininterval", [0, 0, 0.05, 0.1, 0.25, 0.5, 1, None])
    maybe(r, 0.25, kwargs, "maxinterval", [0, 1, 2, 5, 10, None])
    maybe(r, 0.45, kwargs, "miniters", [None, 0, 1, 1, 2, 3, 5, 10, 0.5, 2.5])
    maybe(r, 0.4, kwargs, "smoothing", [0, 0, 0.1, 0.3, 0.5, 0.9, 1, None])
    maybe(r, 0.25, kwargs, "ascii", [True, True, False, None, "", *CHARSETS])
    maybe(r, 0.35, kwargs, "ncols", [0, 30, 40, 50, 60, 80, 100, r.randint(1, 120)])
    maybe(r, 0.15, kwargs, "unit", UNITS)
    maybe(r, 0.25, kwargs, "unit_scale", [True, True, 2, 10, 0.5])
    maybe(r, 0.08, kwargs, "unit_divisor", [1024])
    maybe(r, 0.15, kwargs, "initial", [1, 2, 5, 0.5])
    maybe(r, 0.2, kwargs, "bar_format", lambda: uncut_format(r))
    maybe(r, 0.12, kwargs, "delay", [0.25, 0.5, 1, 2])
    maybe(r, 0.05, kwargs, "disable", [None, None, True])
    maybe(r, 0.12, kwargs, "postfix", POSTFIXES)
    maybe(r, 0.12, kwargs, "colour", COLOURS)
    if r.random() < 0.02:
        kwargs["bar_format"] = "{l_bar}{bar:5}{ncols}x{nrows} {n_fmt}"
    if r.random() < 0.03:
        kwargs.update(bar_format=r.choice(POSTFIX_FORMATS), postfix=["Batch", {"value": r.choice([3, 0.125])}])
    return kwargs


def iterable_bar(r, most):
    kwargs = bar(r, iterable=True)
    maybe(r, 0.1, kwargs, "total", [2, 5, 100, None])
    maybe(r, 0.03, kwargs, "position", [0, 1, 2])
    maybe(r, 0.06, kwargs, "nrows", [1, 2, 3])
    kwargs["iterable"] = {"count": r.randint(0, most), "len": r.random() < 0.75}
    return kwargs


def pace(r):
    """Draws a function that draws the time between two operations, in 64ths of a second."""
    kind = r.randrange(5)
    if kind == 0:
        return lambda: r.randint(0, 5)
    if kind == 1:
        return lambda: r.randint(0, 45)
    if kind == 2:
        return lambda: r.randint(64, 640)
    if kind == 3:
        return lambda: r.choice([r.randint(0, 3), r.randint(0, 64)])
    return lambda: r.choice([1, 2, 3, 5, 199, 709, 1609, r.choice([1, 64 * 4000])])


def tick(pace):
    return ["tick", pace() / 64]


def attribute(r, key, looping):
    """Assigns an attribute of a running bar. Loops in Python have their own copy of `mininterval`, so not that one."""
    drawn = {**bar(r), "mininterval": 0, "miniters": 1, "maxinterval": 5, "unit": "x", "leave": r.choice([True, False])}
    names = ["desc", "leave", "miniters", "ascii", "unit", "unit_scale", "unit_divisor", "bar_format", "colour"]
    names += [] if looping else ["mininterval", "maxinterval"]
    name = r.choice([name for name in names if drawn.get(name) is not None])
    return ["set", key, name, drawn[name]]


def change(r, key, looping=False):
    """
    Returns an operation other than `update`. During a loop, it does not set `n`, which Python updates only at frames,
    and does not reset the bar, since the end of the loop would set `n` to the number of all rounds.
    """
    refresh = r.random() < 0.8
    if r.random() < 0.05:
        return attribute(r, key, looping)
    if r.random() < 0.03:
        return ["display", key, r.choice([None, "text", bar_text(r) or "text"]), r.choice([None, None, 0, 1, 2, 4])]
    kind = r.choice([*range(12), 13]) if looping else r.randrange(15)
    if kind < 3:
        return ["set_description", key, r.choice([None, "", "x", bar_text(r)]), refresh]
    if kind < 4:
        return ["set_description_str", key, r.choice([None, bar_text(r), bar_text(r)]), refresh]
    if kind < 6:
        names = r.sample(["lr", "z", "loss", "acc", "a_key", "b", "指標"], r.randint(0, 3))
        return ["set_postfix", key, [[name, r.choice(VALUES)] for name in names], refresh]
    if kind < 8:
        return ["set_postfix_str", key, r.choice(["y", bar_text(r), bar_text(r)]), refresh]
    if kind < 10:
        return ["refresh", key]
    if kind < 11:
        return ["clear", key]
    if kind < 12:
        return ["unpause", key]
    if kind < 13:
        return ["reset", key, r.choice([None, None, 7, 50, 0])]
    if kind < 14:
        return ["set_total", key, r.choice([None, 0, 30, 200])]
    return ["set_n", key, r.randint(0, 12)]


def write(r):
    return ["write", r.choice(["line", "w", "two\nlines", "hello", "", bar_text(r)]), r.choice(["\n", "\n", "", " !\n"])]


def amount(r, scaled):
    if scaled and r.random() < 0.3:
        return r.choice([2.75, 0.25, 512, 1000, 1536, 65536])
    if r.random() < 0.02:
        return r.choice([0.5, 1.25, -0.5, -7, 100000])
    return r.choice([1, 1, 1, 1, 1, 0, -1, 2, 3, 4, 5, 6, 7, 8, 9, r.randint(1, 60)])


def manual(r):
    """One bar or several, updated by hand."""
    count = r.choice([1, 1, 1, 1, 2, 3, 4, 5, 6])
    kwargs = [bar(r) for _ in range(count)]
    if r.random() < 0.5 and count > 1:
        for row, given in zip(r.sample(range(count + 1), count), kwargs):
            given["position"] = row
    elif r.random() < 0.15:
        maybe(r, 1, r.choice(kwargs), "position", [0, 1, 2, 3, 5, -1, -2])
    if r.random() < 0.4:
        rows = r.choice([1, 2, 3, 4, 5])
        for given in kwargs:
            given["nrows"] = rows
    ops = [["new", key, given] for key, given in enumerate(kwargs)]
    late = [ops.pop() for _ in range(r.choice([0, 0, r.randint(0, count - 1)]))]
    time = pace(r)
    for _ in range(r.randint(2, 30)):
        key = r.randrange(count - len(late))
        kind = r.random()
        if kind < 0.45:
            ops.append(tick(time))
        elif kind < 0.8:
            ops.append(["update", key, amount(r, kwargs[key].get("unit_scale") is True)])
        elif kind < 0.93:
            ops.append(change(r, key))
        elif kind < 0.96:
            ops.append(write(r))
        elif kind < 0.98 and late:
            ops.append(late.pop())
        elif kind > 0.99:
            ops.append(["close", key])
    last = [["close", key] for key in range(count - len(late))]
    if r.random() < 0.5:
        r.shuffle(last)
    for op in last:
        ops.append(op)
        if r.random() < 0.2:
            ops.extend([tick(time), r.choice([change(r, op[1]), ["update", op[1], 3], write(r)])])
    return ops


class Nest:
    """A loop, with bars that are opened and iterated in its rounds."""

    def __init__(self, r):
        self.r = r
        self.time = pace(r)
        self.keys = 0
        self.inner = iterable_bar(r, 5)

    def loop(self, kwargs, depth):
        r = self.r
        key = self.keys
        self.keys += 1
        count = kwargs["iterable"]["count"]
        bodies = [self.body(key, depth) for _ in range(count)]
        stop = r.randint(1, count) if count and r.random() < 0.1 else None
        return [["new", key, kwargs], ["loop", key, bodies, [], stop]]

    def body(self, key, depth):
        r = self.r
        ops = []
        if depth > 0 and r.random() < 0.8:
            ops += self.loop(self.inner if r.random() < 0.8 else iterable_bar(r, 4), depth - 1)
        if r.random() < 0.9:
            ops.append(tick(self.time))
        for _ in range(r.choice([0, 0, 0, 0, 1, 2])):
            ops.append(r.choice([change(r, key, True), change(r, r.randint(0, key), True), write(r), tick(self.time)]))
        if r.random() < 0.04:
            # `update` is excluded, since Python drops its units at the end of the loop.
            ops.append(["close", key])
        return ops


def looped(r):
    depth = r.choice([0, 0, 1, 1, 2])
    ops = Nest(r).loop(iterable_bar(r, r.choice([12, 12, 60]) if depth == 0 else 4), depth)
    if r.random() < 0.2:
        ops += [["tick", 0.5], r.choice([change(r, 0), ["update", 0, 1], ["loop", 0, [[]], [], None], write(r)])]
    return ops


def sim(r):
    return {"tty": r.random() < 0.7, "ops": manual(r) if r.random() < 0.6 else looped(r)}
