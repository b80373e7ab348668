"""What the judge remembers of one curve: trailing means at several scales with their best, and the noise.

Values are minimised; a maximised metric comes in with its sign flipped.
"""

from __future__ import annotations

import math

from tutelage.analysis.rules import Rules

NOISE_EVALUATIONS = 49
PER_SECOND_DIFFERENCE = 0.6053
"""1 / (0.6745 sqrt(6)): from the median of absolute second differences to a standard deviation, for normal noise."""
ROUNDING = 1e-7
"""Noise below this share of the level is that of 32-bit numbers, whatever the curve seems to show."""
NEVER = math.inf


class Track:
    """One series, filtered by a trailing median of three; O(number of scales) a value.

    For scale k of m evaluations: `now[k]` is the newest trailing mean, `best[k]` its least value so far, `at[k]` how
    many values there were then, `peak[k]` its greatest value since. `sigma` is the noise of one value, `inflation` what
    the errors of means grow by because neighbours resemble each other.
    """

    __slots__ = ("_cumulated", "at", "best", "first", "inflation", "now", "peak", "raw", "rules", "sigma")

    def __init__(self, rules: Rules) -> None:
        num = len(rules.scales)
        self.rules = rules
        self._cumulated = [0.0]
        self.raw: list[float] = []
        self.now: list[float] = []
        self.best, self.at, self.peak = [NEVER] * num, [0] * num, [0.0] * num
        self.first = 0.0
        self.sigma, self.inflation = 0.0, 1.0

    def __len__(self) -> int:
        return len(self.raw)

    def add(self, value: float) -> None:
        """Take the next value in."""
        raw, cumulated = self.raw, self._cumulated
        raw.append(value)
        num = len(raw)
        filtered = value if num < 3 else sorted(raw[-3:])[1]
        cumulated.append(cumulated[-1] + filtered)
        if num == 3:  # the greatest of three is where a descent began; a lesser first value may be an outlier
            self.first = raw[0] if raw[0] > max(raw[1], raw[2]) else filtered
        self._rescale(num)
        if num >= 4:
            self._measure(num)

    def mean(self, length: int, upto: int) -> float:
        """Return the mean of the `length` filtered values that end with value number `upto` (counted from 1)."""
        return (self._cumulated[upto] - self._cumulated[upto - length]) / length

    def error(self, length: int) -> float:
        """Return the standard error of a mean over `length` values."""
        return self.sigma * self.inflation / math.sqrt(length)

    def selection(self, length: int) -> float:
        """Return by how many standard errors the best of all such means is too good, about."""
        return self.rules.selection * math.sqrt(2 * math.log(max(len(self.raw) / length, 2.0)))

    def span(self, scale: int) -> float:
        """Return what a rise is measured against: how far the curve came, most of a steep beginning left out.

        A loss that begins at 10.8 and levels off at 3.3 would hide a later rise of 0.4.
        """
        best, length = self.best[scale], self.rules.scales[scale]
        whole = max(self.first - best, 0.0)
        second_half = self.mean(length, max(length, self.at[scale] // 2)) - best
        return min(whole, max(10 * second_half, 0.2 * whole))

    def start(self) -> float:
        """Return the level of the first three values."""
        return self._cumulated[3] / 3

    def _rescale(self, num: int) -> None:
        now: list[float] = []
        cumulated, best, peak = self._cumulated, self.best, self.peak
        for k, length in enumerate(self.rules.scales):
            if num < length + 2:
                break
            level = (cumulated[num] - cumulated[num - length]) / length
            now.append(level)
            if level < best[k]:
                best[k], self.at[k], peak[k] = level, num, level
            elif level > peak[k]:
                peak[k] = level
        self.now = now

    def _measure(self, num: int) -> None:
        rounding = ROUNDING * max(abs(self.first), abs(self.raw[-1]))
        self.sigma, self.inflation = max(spread(self.raw[-NOISE_EVALUATIONS:], 1), rounding), 1.0
        if num < self.rules.neighbours_from:
            return
        wide = spread(self.raw[-NOISE_EVALUATIONS - 5 :], 3)
        if wide > self.sigma:
            resemblance = min(max(0.9 - (self.sigma / wide) ** 2, 0.0), 0.6)
            self.sigma = wide
            self.inflation = math.sqrt((1 + resemblance) / (1 - resemblance))


def spread(values: list[float], lag: int) -> float:
    """Return the standard deviation of a value around its curve, from second differences over `lag` values.

    Blind to level and slope; first differences would read curvature as noise.
    """
    second = sorted([abs(a - 2 * b + c) for a, b, c in zip(values, values[lag:], values[2 * lag :], strict=False)])
    return PER_SECOND_DIFFERENCE * median_of_sorted(second)


def median_of_sorted(values: list[float]) -> float:
    """Return the median of sorted values."""
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else 0.5 * (values[middle - 1] + values[middle])
