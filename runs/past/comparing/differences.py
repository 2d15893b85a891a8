"""One figure in both runs: how far apart, in the figure's unit and in per cent, and is it noise?"""

from dataclasses import dataclass
from typing import Literal

from runs.past.comparing import noise
from runs.past.comparing.noise import Estimate
from runs.past.comparing.sides import Measured
from runs.samples.percentiles import QUANTILES, rounded

Judgement = Literal[
    "within noise", "slower", "faster", "more errors", "fewer errors", "more", "fewer",
    "no data", "not comparable", "too few requests",
]  # fmt: skip
WORSE: frozenset[Judgement] = frozenset({"slower", "more errors", "fewer"})
BETTER: frozenset[Judgement] = frozenset({"faster", "fewer errors", "more"})
STEP, STEP_MS, STEP_POINTS = 0.05, 1.0, 0.1
# With fewer beyond a percentile the range of the true one has no upper end.
LEAST_BEYOND = 10
RULE = (
    "A difference counts when it is at least 5 % and 1 ms (errors: 0.1 points) and more than "
    "chance explains: the ranges in which the two true values lie, 99 times of 100, do not touch. "
    "A percentile is judged where ten answers of each run lie beyond it: 20 for p50, 200 for p95, "
    "1 000 for p99."
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure in both. `percent` is of the first, in digits that mean something; shares of
    errors differ by `absolute` points.

    `is_worse` is None where the difference is noise, or nobody can tell.
    """

    figure: str
    unit: str
    before: float | None
    after: float | None
    absolute: float | None
    percent: float | None
    judgement: Judgement
    is_worse: bool | None


def differences(
    before: Measured, after: Measured, *, same_kind: bool = True, same_load: bool = True
) -> tuple[Difference, ...]:
    """p50, p95, p99, errors and requests a second.

    Percentiles of different kinds stay unjudged, and so do the rates that different scripts make.
    """
    percentiles = (_of_quantile(name, before, after, same_kind) for name in QUANTILES)
    return (*percentiles, _of_errors(before, after), _of_rate(before, after, same_load))


def least_answers(q: float) -> int:
    """How many answers a percentile rests on before it is judged."""
    return round(LEAST_BEYOND / (1 - q))


def _of_quantile(name: str, before: Measured, after: Measured, same_kind: bool) -> Difference:
    q = QUANTILES[name]
    one, other = (noise.quantile(side.sketch, q) for side in (before, after))
    judged = _judge(one, other, "slower", "faster", least=STEP_MS, share=STEP)
    if judged != "no data" and not same_kind:
        judged = "not comparable"
    elif judged != "no data" and _fewest(before, after) < least_answers(q):
        judged = "too few requests"
    return _difference(name.removesuffix("_ms"), "ms", one, other, judged)


def _fewest(*sides: Measured) -> int:
    return min(side.sketch.count for side in sides)


def _of_errors(before: Measured, after: Measured) -> Difference:
    one, other = (noise.share(side.errors, side.requests) for side in (before, after))
    judged = _judge(one, other, "more errors", "fewer errors", least=STEP_POINTS)
    return _difference("errors", "%", one, other, judged)


def _of_rate(before: Measured, after: Measured, same_load: bool) -> Difference:
    one, other = (noise.rate(side.requests, side.seconds) for side in (before, after))
    judged = _judge(one, other, "more", "fewer", share=STEP)
    if judged != "no data" and not same_load:
        judged = "not comparable"
    return _difference("rps", "/s", one, other, judged)


def _judge(
    before: Estimate | None,
    after: Estimate | None,
    if_higher: Judgement,
    if_lower: Judgement,
    *,
    least: float = 0.0,
    share: float = 0.0,
) -> Judgement:
    if before is None or after is None:
        return "no data"
    if not after.differs(before, least=least, share=share):
        return "within noise"
    return if_higher if after.value > before.value else if_lower


def _difference(
    name: str, unit: str, before: Estimate | None, after: Estimate | None, judgement: Judgement
) -> Difference:
    absolute = None if before is None or after is None else after.value - before.value
    percent = 100 * absolute / before.value if before and before.value and absolute else None
    return Difference(
        figure=name,
        unit=unit,
        before=rounded(before.value if before else None),
        after=rounded(after.value if after else None),
        absolute=rounded(absolute),
        percent=_about(0.0 if absolute == 0 else percent),
        judgement=judgement,
        is_worse=judgement in WORSE if judgement in WORSE | BETTER else None,
    )


def _about(percent: float | None) -> float | None:
    """Whole from 10 on, else with one decimal: the digits behind are noise."""
    if percent is None:
        return None
    return float(round(percent)) if abs(percent) >= 10 else round(percent, 1)
