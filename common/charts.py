"""Shapes of bar and line charts, in the units of an SVG view box. No Django, no colours."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from common.statuses import Tone

WIDTH = 600
HEIGHT = 160
MOST_LABELS = 6
COLUMN_GAP = 0.28


@dataclass(frozen=True, slots=True)
class Series:
    """One row of numbers, one for each label of the chart; none below zero."""

    label: str
    values: Sequence[float]
    tone: Tone = "primary"


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers to draw. `urls`, if given, leads from each label to the rows behind its numbers."""

    title: str
    labels: Sequence[str]
    series: Sequence[Series]
    unit: str = ""
    urls: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.urls and len(self.urls) != len(self.labels):
            raise ValueError(
                f"Chart {self.title!r} has {len(self.labels)} labels but {len(self.urls)} urls; "
                "give one url for each label or none."
            )
        for row in self.series:
            if len(row.values) != len(self.labels):
                raise ValueError(
                    f"Series {row.label!r} has {len(row.values)} values for "
                    f"{len(self.labels)} labels; give one value for each label."
                )
            if any(value < 0 or not math.isfinite(value) for value in row.values):
                raise ValueError(f"Series {row.label!r} has a value that is not zero or more.")


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of one series inside a column."""

    tone: Tone
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """Everything at one label: where it stands, what it says when pointed at, where it leads.

    `shown_label` is empty where labels would overlap; a spare one also goes on a small screen.
    """

    label: str
    shown_label: str
    is_spare: bool
    x: float
    width: float
    tip: str
    url: str
    numbers: Sequence[float]
    rects: Sequence[Rect] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One series as the `d` attribute of an SVG path, and its last point."""

    tone: Tone
    path: str
    end_x: float
    end_y: float


def bar_columns(chart: Chart) -> list[Column]:
    """Columns with the series stacked in the order given, the first at the bottom."""
    top = scale_top(_tallest_stack(chart))
    return [_column(chart, index, _stack(chart, index, top)) for index in range(len(chart.labels))]


def line_columns(chart: Chart) -> list[Column]:
    """Columns without rectangles: what can be pointed at over a line chart."""
    return [_column(chart, index, ()) for index in range(len(chart.labels))]


def lines(chart: Chart) -> list[Line]:
    """One line for each series, its points in the middle of the columns."""
    top = scale_top(_highest_value(chart))
    return [_line(row, top) for row in chart.series if row.values]


def bar_scale(chart: Chart) -> list[float]:
    """Values beside the grid lines of a bar chart, from the top down to zero."""
    return _scale(scale_top(_tallest_stack(chart)))


def line_scale(chart: Chart) -> list[float]:
    """Values beside the grid lines of a line chart, from the top down to zero."""
    return _scale(scale_top(_highest_value(chart)))


def scale_top(highest: float) -> float:
    """Smallest 1, 2, 4, 6 or 10 times a power of ten that is not below `highest`, and at least 2.

    From 2 on all of them halve into a whole number, which labels the middle grid line.
    """
    if highest <= 2:
        return 2
    power = 10.0 ** math.floor(math.log10(highest))
    return float(next(step * power for step in (1, 2, 4, 6, 10) if step * power >= highest))


def _scale(top: float) -> list[float]:
    return [top, top / 2, 0]


def _tallest_stack(chart: Chart) -> float:
    return max(
        (sum(row.values[index] for row in chart.series) for index in range(len(chart.labels))),
        default=0,
    )


def _highest_value(chart: Chart) -> float:
    return max((value for row in chart.series for value in row.values), default=0)


def _stack(chart: Chart, index: int, top: float) -> list[Rect]:
    step = WIDTH / len(chart.labels)
    rects = []
    below = 0.0
    for row in chart.series:
        value = row.values[index]
        if value:
            height = value / top * HEIGHT
            y = HEIGHT - below - height
            x = step * (index + COLUMN_GAP / 2)
            rects.append(Rect(row.tone, _r(x), _r(y), _r(step * (1 - COLUMN_GAP)), _r(height)))
            below += height
    return rects


def _column(chart: Chart, index: int, rects: Sequence[Rect]) -> Column:
    step = WIDTH / len(chart.labels)
    label = chart.labels[index]
    every = math.ceil(len(chart.labels) / MOST_LABELS)
    unit = f" {chart.unit}" if chart.unit else ""
    numbers = [row.values[index] for row in chart.series]
    parts = [f"{row.label} {value:,.10g}{unit}" for row, value in zip(chart.series, numbers, strict=True)]
    return Column(
        label=label,
        shown_label=label if index % every == 0 else "",
        is_spare=index // every % 2 == 1,
        x=_r(step * index),
        width=_r(step),
        tip=f"{label}: {', '.join(parts)}",
        url=chart.urls[index] if chart.urls else "",
        numbers=numbers,
        rects=rects,
    )


def _line(row: Series, top: float) -> Line:
    step = WIDTH / len(row.values)
    points = [(_r(step * (index + 0.5)), _r(HEIGHT - value / top * HEIGHT)) for index, value in enumerate(row.values)]
    path = "M" + " L".join(f"{x} {y}" for x, y in points)
    return Line(row.tone, path, *points[-1])


def _r(value: float) -> float:
    return round(value, 2)
