"""Python's tqdm with a clock that moves only by `tick`, a file that keeps its writes, no monitor, and live bars in the
order of their creation. A tqdm older than 4.69 is patched to behave like 4.69."""

import re
from importlib.metadata import version

import tqdm.std
from tqdm import tqdm as Bar
from tqdm.utils import disp_len, disp_trim

INFINITY = float("inf")
# Smoothed values differ in the last bits, since pow() does: no decision on one may be closer than this.
MARGIN = 1e-9
# Formats that show the last bits.
ALL_DIGITS = re.compile(r"\{(rate(_noinv|_inv)?|remaining_s)[!:}](?![^}]*\.)")


class Unusable(Exception):
    """The case is a close call, or outside of what docs/reference/tqdm-parity.md promises to be the same."""


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
    """A set in order of insertion, in place of tqdm's WeakSet in order of memory addresses."""

    def add(self, bar):
        self[id(bar)] = bar

    def remove(self, bar):
        del self[id(bar)]

    def __iter__(self):
        return iter(list(self.values()))


class Smoothed(float):
    """A smoothed `miniters` that raises when it is compared with a value too close to it."""

    def __le__(self, other):
        if other != INFINITY and abs(other - self) < MARGIN * max(1, abs(other)):
            raise Unusable
        return float.__le__(self, other)


class SmoothedEma(tqdm.std.EMA):
    def __call__(self, x=None):
        return Smoothed(super().__call__(x))


def watch(bar):
    """Replaces the average of a bar that is new or was reset."""
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


def trim(data, length):
    """Where wide characters make up for ANSI sequences in length, tqdm cuts as if there were neither."""
    if "\x1b[" in data and len(data) == disp_len(data):
        raise Unusable
    return disp_trim(data, length)


tqdm.std.disp_trim = trim


installed_meter = Bar.format_meter


def meter_of_4_69(n, total, elapsed, ncols=None, **given):
    total = None if total == INFINITY else total
    line = installed_meter(n, total, elapsed, ncols, **given)
    known = total and n < total + 0.5
    # A line with a bar is cut already, and cutting it twice may add a second reset.
    has_bar = "{bar" in given["bar_format"] if given.get("bar_format") else known
    return trim(line, ncols) if ncols and not has_bar else line


if tuple(map(int, version("tqdm").split(".")[:2])) < (4, 69):
    Bar.format_interval = staticmethod(format_interval)
    Bar.format_num = staticmethod(format_num)
    Bar.format_meter = staticmethod(meter_of_4_69)

tqdm_meter = Bar.format_meter


def is_same_text(x):
    """Reports whether JavaScript writes a number as Python does: it has no 3.0, and other bounds for exponents."""
    return not isinstance(x, float) or x == INFINITY or (not x.is_integer() and 1e-4 <= abs(x) < 1e16)


def pure_meter(n, total, elapsed, unit_scale=False, rate=None, **given):
    bar_format = given.get("bar_format")
    scale = 1 if unit_scale is True or not unit_scale else unit_scale
    # Metric prefixes hide the difference.
    is_shown = unit_scale is not True or bar_format
    if is_shown and not all(is_same_text(x * scale) for x in (n, total or 0)):
        raise Unusable
    average = (n * scale - given.get("initial", 0)) / elapsed if elapsed else 0
    per_second = average if rate is None else rate * scale
    # A negative zero.
    if per_second < 0 and n == total:
        raise Unusable
    # JavaScript writes such a rate with an exponent, and is not exact to the second.
    if abs(per_second) >= 1e21 or (total and per_second and total * scale / abs(per_second) > 2**53):
        raise Unusable
    shows_postfix = not bar_format or given.get("ncols") == 0 or re.search(r"\{(r_bar|postfix[:}])", bar_format)
    if shows_postfix and isinstance(given.get("postfix"), (list, dict)):
        raise Unusable
    return tqdm_meter(n, total, elapsed, unit_scale=unit_scale, rate=rate, **given)


def is_close_call(n, total, rate):
    """Reports whether the smoothed rate is close to 1, or the remaining time close to a whole second."""
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
    if rate is not None and ALL_DIGITS.search(given.get("bar_format") or ""):
        raise Unusable
    return pure_meter(n, total, elapsed, unit_scale=unit_scale, rate=rate, **given)


Bar.format_meter = staticmethod(watched_meter)
Bar.monitor_interval = 0


class Endless:
    """An iterable of unknown length."""

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
        """Returns the texts written during each operation."""
        written = []
        try:
            for op in ops:
                self.step(op)
                written.append(self.file.take())
        finally:
            # Otherwise bars write once more when they are garbage-collected.
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
            # Python does not count any more.
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
