"""Draws arguments for the pure functions, within what docs/reference/tqdm-parity.md promises to be the same. Every draw
is a function of a `random.Random`."""

import re

TEXTS = [
    "", "a", "x: ", "load", "train", "step:", "50%", "tab le", "epoch 3", "fold 1/5", "Downloading",
    "very long description that goes on", "été", "äöü", "ño", "進捗", "学習中", "処理", "처리", "データ: ",
    "ダウンロード", "日本語 desc", "mixed 漢字 x", "ＡＢ", "🚀", "🚀 launch", "✅ok", "🌑🌕", "❤️", "👩‍💻", "กำ",
    "e\u0301", "½ ∞ Ω", "\x1b[31mred\x1b[0m", "\x1b[1;32mok\x1b[0m", "\x1b[34mblue", "\x1b[38;5;208mo\x1b[0m",
    "\x1b[K", "\x1b", "{", "a\tb",
]
CHARSETS = [
    " .oO0", "-#", "_=", " >=", " 12345", "░▒█", " ▏▎▍▌▋▊▉█", " ▖▘▝▗▚▞█", " ⠂⠒⠖⠶⠷⠿", "🌑🌒🌓🌔🌕", "。．",
]
UNITS = ["it", "B", "b", "", "ops", "file", "epoch", " rows", "個", "🚀"]
COLOURS = [None, "", "red", "RED", "Cyan", "green", "white", "black", "#00ff00", "#1e90FF", "no-such-colour", "#fff"]
SCALES = [True, True, True, False, 0, 1, 2, 10, 1000, 0.5, 1.5, 0.001, 3]

BAR_FORMATS = [
    "{l_bar}{bar}{r_bar}", "{l_bar}{bar}|", "{l_bar}{r_bar}", "{bar}", "|{bar}|", "{l_bar}{bar:10a}{r_bar}",
    "{l_bar}{bar:8u}{r_bar}", "{l_bar}{bar:b}{r_bar}", "{l_bar}{bar:-10b}{r_bar}", "{l_bar}{bar:-200}{r_bar}",
    "{l_bar}{bar:0}{r_bar}", "{bar:-10b}", "{bar:-3}|{n_fmt}", "{bar:a}|{bar:5u}", "{bar:A} {bar:4U}",
    "{desc}: {n_fmt}/{total_fmt}", "{desc}: {percentage:3.0f}%|{bar:8}|{postfix}", "{desc}:{bar}:{colour}",
    "{desc}: {percentage:.1f}%|{bar:20}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}, {rate_fmt}{postfix}]",
    "{desc}{percentage:3.0f}%|{bar:10}{r_bar}", "{desc:>15}{bar:6}{postfix}",
    "{desc:<12}|{bar:12}|{n:>7} of {total_fmt:>7}", "{desc:^15}[{bar:-30}]{percentage:05.1f}",
    "{desc:.5}|{desc:*<9.4}|{unit:_^7}", "{n:*^9}|{bar:4}|{unit_divisor}", "{n:.2e} {n:g} {n:.3g}|{bar:3}",
    "{n:+} {n:,}", "{n:010.3f}|{n: .1f}|{n:<+9.2f}|", "{n:08} {n:=+9}", "{n:.1%} {percentage:e}",
    "{percentage:3.0f}%{bar}{percentage:3.0f}%", "{percentage:6.2f}% {elapsed_s:.3f}s {remaining_s:.2f}s left",
    "{percentage:g} {percentage:.0f}", "{{literal}} {percentage:3.0f}% {{{n_fmt}}}", "}}{{ {unit}",
    "進捗 {percentage:3.0f}% {bar:10} {n_fmt}", "\x1b[32m{l_bar}\x1b[0m{bar}{r_bar}", "\x1b[1m{desc}\x1b[0m {n_fmt}",
    "{elapsed}<{remaining} {ncols}", "{rate:9.3f} {unit} |{bar:9}|", "{l_bar}{bar}| {n_fmt}/{total_fmt} [{rate_noinv:.3f}]",
    "{n_fmt}{unit} {rate_noinv_fmt} {rate_inv_fmt}", "{rate_inv:.2f} {rate_noinv:.2f} {rate_fmt:>20}", "{n} {total}",
    "{postfix}|{bar:3}|{desc}: ",
]
POSTFIX_FORMATS = [
    "{postfix[0]}={postfix[1][value]:.3f} {n_fmt}", "{postfix[0]} {postfix[1][value]:>8.2g}|{bar:5}",
    "{postfix[1][value]}|{bar}|", "{l_bar}{bar}{postfix[0]:>9}",
]
ETA_FORMATS = [
    "{l_bar}{bar:10}| {eta:%H:%M:%S}", "{desc} ETA {eta:%d/%m %H:%M}", "{bar:5}{eta:%Y%m%dT%H%M%S}",
    "{n_fmt} {eta:%Y-%m-%d %H:%M}", "{eta:%a %b %d %I:%M %p} {bar}", "{eta:%A, %d. %B %y} {r_bar}",
]
DIRECTIVES = "YymBbdAaHIpMSFTR%"

INTEGERS = ["n", "total", "unit_divisor", "ncols"]
FLOATS = ["percentage", "rate_noinv", "rate_inv", "elapsed_s", "remaining_s"]
WORDS = ["desc", "n_fmt", "total_fmt", "elapsed", "remaining", "rate_fmt", "unit", "l_bar", "r_bar"]


def format_spec(r, types):
    """A format specification, which Python may refuse."""
    kind = r.choice(types)
    fill = r.choice(["", "", "<", ">", "^", "=", "*>", "_^", "0=", "・<"])
    sign = r.choice(["", "", "", "+", "-", " "])
    zero = r.choice(["", "", "0"])
    grouping = "" if zero or "0" in fill else r.choice(["", "", "", ","])
    # A precision without a type means something else for floats.
    precision = r.choice(["", f".{r.randint(0, 8)}"]) if kind else ""
    return fill + sign + zero + r.choice(["", str(r.randint(1, 14))]) + grouping + precision + kind


def bar_format(r):
    if r.random() < 0.7:
        return r.choice(BAR_FORMATS)
    parts = []
    for _ in range(r.randint(1, 4)):
        name = r.choice(["bar", *INTEGERS, *FLOATS, *WORDS])
        if name == "bar":
            spec = r.choice(["", str(r.randint(-12, 20))]) + r.choice(["", "", "a", "u", "b"])
        else:
            spec = format_spec(r, ["", "s"] if name in WORDS else [*"efg%"] if name in FLOATS else ["", *"defg%"])
        parts.append("{" + name + (spec and ":") + spec + "}")
    return r.choice([" ", "|", "", "{{}}"]).join(parts)


def maybe(r, chance, args, name, draw):
    if r.random() < chance:
        args[name] = draw() if callable(draw) else r.choice(draw)


def text(r):
    drawn = r.choice(TEXTS)
    kind = r.random()
    if kind < 0.2:
        return f"{drawn} {r.randrange(1000)}"
    return drawn + r.choice(["yz", " x", r.choice(TEXTS)]) if kind < 0.35 else drawn


def bar_text(r):
    """Returns a text of a bar, without sequences that tqdm draws differently: only colours that are ended."""
    drawn = text(r)
    while re.search(r"\x1b(?!\[[\d;]*m)|\x1b\[[1-9][\d;]*m[^\x1b]*$", drawn):
        drawn = text(r)
    return drawn


def long_text(r):
    return "".join(r.choice(TEXTS) for _ in range(r.randint(1, 4)))


def whole(x):
    """Makes an integral number an int."""
    return int(x) if isinstance(x, float) and x.is_integer() else x


def rounded(x, digits):
    return whole(float(f"{x:.{digits}g}"))


def integer(r, exponent=15):
    kind = r.random()
    if kind < 0.3:
        return r.choice([0, 1, 2, 3, 9, 10, 99, 100, 999, 1000, 1023, 1024, 9995, 9994000, 65536, 999499, 999999])
    if kind < 0.5:
        return r.choice([5, 25, 75, 125, 625, 9994, 9996, 9995, 999500, 9950, 99950, 1234]) * 10 ** r.randint(0, 9)
    return int(10 ** r.uniform(0, exponent))


def decimal(r, low=-7, high=7):
    return rounded(10 ** r.uniform(low, high), r.randint(2, 12))


def number(r):
    drawn = integer(r) if r.random() < 0.6 else r.choice([decimal(r), r.choice([9.995, 99.95, 999.5, 0.5, 2.5, 12.5])])
    return -drawn if r.random() < 0.25 else drawn


def format_sizeof(r):
    args = {"num": number(r) if r.random() < 0.8 else rounded(10 ** r.uniform(14, 27), 6)}
    if isinstance(args["num"], int) and abs(args["num"]) > 2**53:
        args["num"] = float(args["num"])
    maybe(r, 0.4, args, "suffix", ["it/s", "it", "iB", "B", ""])
    maybe(r, 0.5, args, "divisor", [1024, 1000, 60, 1000.5])
    return args


def format_interval(r):
    base = r.choice([0, 1, 59, 60, 3599, 3600, 3601, 86399, 86400, 359999, 360000, 10**7])
    t = base + r.choice([0, 0, 0.5, 0.999]) if r.random() < 0.4 else rounded(10 ** r.uniform(-3, 9), 9)
    return {"t": whole(-t if r.random() < 0.3 else t)}


def format_num(r):
    return {"n": number(r)}


def count_and_total(r):
    kind = r.random()
    if kind < 0.12:
        return integer(r), r.choice([None, 0])
    if kind < 0.18:
        return integer(r), "inf"
    if kind < 0.3:
        total = whole(decimal(r, -1, 4))
        return rounded(total * r.random(), 6), total
    if kind < 0.4:
        total = r.choice([8, 10, 40, 100])
        return total + r.choice([0.25, 0.4, 0.5, 1, 3, 0.499]), total
    if kind < 0.43:
        return -integer(r, 3), integer(r)
    total = r.choice([integer(r), integer(r, 6), integer(r, 3)])
    return r.choice([0, total, total // 2, total // 8, r.randint(0, total), r.randint(0, total)]), total


def format_meter(r):
    n, total = count_and_total(r)
    args = {"n": n, "total": total}
    args["elapsed"] = (
        r.choice([0, 1, 13, 60, 1e-06, 0.001, 0.25, 2.5, 59.9, 61.5, 3599, 3661, 90061])
        if r.random() < 0.85
        else rounded(10 ** r.uniform(-3, 6), 6)
    )
    columns = [None, 0, 1, 2, 5, 10, 20, 30, 40, 60, 79, 80, 100, 120, 200]
    maybe(r, 0.6, args, "ncols", [*columns, r.randint(1, 140)])
    maybe(r, 0.6, args, "prefix", lambda: text(r))
    maybe(r, 0.5, args, "ascii", [True, True, True, False, False, None, "", *CHARSETS])
    maybe(r, 0.4, args, "unit", UNITS)
    maybe(r, 0.45, args, "unit_scale", SCALES)
    maybe(r, 0.25, args, "unit_divisor", [1024, 1000, 60])
    maybe(r, 0.35, args, "rate", [None, None, 0, 1, 3, 0.25, 0.5, 0.001, 1234.5, 1000000, decimal(r), -2])
    maybe(r, 0.4, args, "bar_format", lambda: bar_format(r))
    maybe(r, 0.4, args, "postfix", [None, "", 5, 0, 0.5, "loss=0.5", "状態=良", "a=1, b=2", text(r)])
    maybe(r, 0.25, args, "initial", [0, 1, 5, 3, n, 0.5])
    maybe(r, 0.3, args, "colour", COLOURS)
    if max(n, 0 if total in (None, "inf") else total) * args.get("unit_scale", 1) > 2**53:
        # Larger integers are exact in Python only.
        args.pop("unit_scale", None)
    if r.random() < 0.06:
        args["bar_format"] = r.choice(POSTFIX_FORMATS)
        value = r.choice([0, 3, 0.125, 1234.5, 2.718281828, -1.5, 10**7])
        args["postfix"] = [r.choice(["Batch", "loss"]), {"value": value}]
    return args


def format_meter_eta(r):
    args = format_meter(r)
    while isinstance(args.get("postfix"), list) or args["n"] < 0 or (args.get("rate") or 0) < 0:
        args = format_meter(r)
    # A negative rate would lead to years without four digits.
    args.pop("initial", None)
    args["bar_format"] = r.choice(ETA_FORMATS)
    if r.random() < 0.4:
        directives = ["%" + letter for letter in r.choices(DIRECTIVES, k=4)]
        args["bar_format"] = "{bar:4}{eta:" + " ".join(directives) + "}"
    # In these months every wall time exists in every zone.
    day = [r.choice([2023, 2024]), r.choice([1, 2, 12]), r.randint(1, 28)]
    return {**args, "now": [*day, r.randint(0, 23), r.randint(0, 59), r.randint(0, 59)]}


def disp_len(r):
    return {"data": long_text(r)}


def disp_trim(r):
    return {"data": long_text(r), "length": r.randint(0, 20)}


def ema(r):
    xs = [None if r.random() < 0.15 else rounded(10 ** r.uniform(-3, 5), 5) for _ in range(r.randint(3, 9))]
    return {"smoothing": r.choice([0, 0.05, 0.1, 0.3, 0.5, 0.9, 1]), "xs": xs}
