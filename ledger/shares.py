"""
How a share is written: from whole numbers alone, rounded half up, and never onto a target that it misses.

29.996 % against 30 % is below it: written 30 % beside 「差 1 人」 it would read as a fault of the book. So a share that misses its target keeps to its own
side of it, by a hundredth. Every place that prints a share beside a target takes it from `hundredths` with that target.
"""


def hundredths(numerator: int, denominator: int, per: int = 100, *, at_least: int | None = None, at_most: int | None = None) -> int | None:
    """
    Give a share, times *per*, in hundredths; None without a denominator. *at_least*, *at_most*: its targets, in hundredths too.

    Rounded half up, but a share below at_least stays below it, and one above at_most above it.
    """
    if not denominator:
        return None
    value = 100 * numerator * per
    rounded = (2 * value + denominator) // (2 * denominator)
    if at_least is not None and value < at_least * denominator:
        return min(rounded, at_least - 1)
    if at_most is not None and value > at_most * denominator:
        return max(rounded, at_most + 1)
    return rounded


def ratio(numerator: int, denominator: int) -> str:
    """Write a ratio to four decimals, rounded half up, as data beside no target: 4621 / 41390 -> "0.1116"; empty without a denominator."""
    found = hundredths(numerator, denominator)
    return "" if found is None else f"{found // 10_000}.{found % 10_000:04d}"


def percent(found: int) -> str:
    """Write hundredths of a percent: 11.16%, and 30% for a whole number."""
    whole, rest = divmod(found, 100)
    return f"{whole}.{rest:02d}%" if rest else f"{whole}%"
