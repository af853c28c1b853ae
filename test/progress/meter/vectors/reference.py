"""Python's tqdm as the vectors want it: a clock that only ticks, a file that remembers, no monitor, and live bars in
the order of their creation. An older tqdm than 4.69 gets what 4.69 does otherwise."""

import re
from importlib.metadata import version

import tqdm.std
from tqdm import tqdm as Bar
from tqdm.utils import disp_trim

INFINITY = float("inf")
# A smoothed value is right to some bits only, since pow() differs: what it decides must not be a close call.
MARGIN = 1e-9
# Formats that show those bits.
ALL_DIGITS = re.compile(r"\{(rate(_noinv|_inv)?|remaining_s)[!:}](?![^}]*\.)")


class Unusable(Exception):
    """The case is a close call, or shows numbers that JavaScript cannot tell apart from others."""


class Clock:
    def __init__(self):
        self.seconds = 1000.0

    def __call__(self):
        return self.seconds


class File:
    encoding = "utf-8"

    def __init__(self, tty):
        self.tty = tty
        self.writes = []

    def isatty(self):
        return self.tty

    def write(self, text):
        if text:
            self.writes.append(text)

    def flush(self):
        pass

    def take(self):
        writes, self.writes = self.writes, []
        return writes


class InOrder(dict):
    """A set that keeps its order; tqdm has a WeakSet, whose order is that of memory addresses."""

    def add(self, bar):
        self[id(bar)] = bar

    def remove(self, bar):
        del self[id(bar)]

    def __iter__(self):
        return iter(list(self.values()))


class Smoothed(float):
    """A smoothed `miniters`, which watches what it is compared with."""

    def __le__(self, other):
        if other != INFINITY and abs(other - self) < MARGIN * max(1, abs(other)):
            raise Unusable
        return float.__le__(self, other)


class SmoothedEma(tqdm.std.EMA):
    def __call__(self, x=None):
        return Smoothed(super().__call__(x))


def watch(bar):
    """New bars, and those that were reset, have a new average."""
    if type(getattr(bar, "_ema_miniters", None)) is tqdm.std.EMA:
        bar._ema_miniters = SmoothedEma(bar.smoothing)


def format_interval(t):
    minutes, seconds = divmod(abs(int(t)), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}:{seconds:02d}"
    return ("-" if t < 0 else "") + (f"{hours}:{text}" if hours else text)


def format_num(n):
    short = f"{n:.3g}".replace("e+0", "e+").replace("e-0", "e-")
    return short if len(short) < len(str(n)) else str(n)


original_meter = Bar.format_meter


def meter_of_4_69(n, total, elapsed, ncols=None, **given):
    total = None if total == INFINITY else total
    line = original_meter(n, total, elapsed, ncols, **given)
    known = total and n < total + 0.5
    # A line that has a bar is cut already, and cutting it twice may add a second reset.
    has_bar = "{bar" in given["bar_format"] if given.get("bar_format") else known
    return disp_trim(line, ncols) if ncols and not has_bar else line


if tuple(map(int, version("tqdm").split(".")[:2])) < (4, 69):
    Bar.format_interval = staticmethod(format_interval)
    Bar.format_num = staticmethod(format_num)
    Bar.format_meter = staticmethod(meter_of_4_69)

pure_meter = Bar.format_meter


def is_close_call(n, total, rate):
    """Does the smoothed rate lie at a second of the time that remains, or where the line turns it over?"""
    if not rate:
        return False
    if abs(rate - 1) < MARGIN:
        return True
    remaining = (total - n) / rate if total and total != INFINITY else 0.5
    return remaining != 0 and abs(remaining - round(remaining)) < MARGIN * max(1, abs(remaining))


def watched_meter(n, total, elapsed, unit_scale=False, rate=None, **given):
    scale = 1 if unit_scale is True or not unit_scale else unit_scale
    if is_close_call(n * scale, total and total * scale, rate and rate * scale):
        raise Unusable
    # Nobody can tell the first frame, which has an integer here, from one at the very same time.
    if elapsed == 0.0 and isinstance(elapsed, float) and "elapsed_s" in (given.get("bar_format") or ""):
        raise Unusable
    if rate is not None and ALL_DIGITS.search(given.get("bar_format") or ""):
        raise Unusable
    # JavaScript has no 3.0, which Python shows otherwise than 3 unless metric prefixes take it.
    shown = unit_scale is not True or given.get("bar_format")
    if shown and any(isinstance(x, float) and x.is_integer() for x in (n, total)):
        raise Unusable
    return pure_meter(n, total, elapsed, unit_scale=unit_scale, rate=rate, **given)


Bar.format_meter = staticmethod(watched_meter)
Bar.monitor_interval = 0


class Endless:
    """Something to iterate that does not know its length."""

    def __init__(self, count):
        self.count = count

    def __iter__(self):
        return iter(range(self.count))


class Simulation:
    def __init__(self, tty):
        self.clock = Clock()
        self.file = File(tty)
        self.bars = {}
        Bar._instances = InOrder()
        tqdm.std.time = self.clock

    def run(self, ops):
        """What was written during each operation."""
        written = []
        try:
            for op in ops:
                self.step(op)
                written.append(self.file.take())
        finally:
            # Collected bars would close themselves, and write.
            for bar in Bar._instances:
                bar.disable = True
        return written

    def step(self, op):
        name, *args = op
        if name == "tick":
            self.clock.seconds += args[0]
        elif name == "write":
            Bar.write(args[0], file=self.file, end=args[1])
        elif name == "new":
            self.open(*args)
        elif name == "loop":
            self.loop(*args)
        else:
            self.call(name, self.bars[args[0]], *args[1:])

    def call(self, name, bar, *args):
        if name == "display" and bar.disable:
            # Python has stopped counting by then.
            raise Unusable
        if name == "set":
            setattr(bar, *args)
        elif name == "set_n":
            bar.n = args[0]
        elif name == "set_total":
            bar.total = args[0]
        elif name == "set_postfix":
            bar.set_postfix(dict(args[0]), refresh=args[1])
        else:
            getattr(bar, name)(*args)
            watch(bar)

    def open(self, key, kwargs):
        kwargs = {name: INFINITY if value == "inf" else value for name, value in kwargs.items()}
        source = kwargs.pop("iterable", None)
        if source is not None:
            kwargs["iterable"] = range(source["count"]) if source["len"] else Endless(source["count"])
        self.bars[key] = Bar(file=self.file, **kwargs)
        watch(self.bars[key])

    def loop(self, key, bodies, _, stop):
        rounds = iter(self.bars[key])
        for done, _ in enumerate(rounds, 1):
            for op in bodies[done - 1] if done <= len(bodies) else []:
                self.step(op)
            if done == stop:
                break
        rounds.close()
