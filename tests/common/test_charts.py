"""Charts: shapes that stay inside the drawing and keep the proportions of the numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.charts import HEIGHT, WIDTH, Chart, Series, bar_columns, bar_scale, line_columns, lines, scale_top

VALUES = st.lists(st.floats(min_value=0, max_value=1e9), min_size=1, max_size=40)


def _chart(*rows: list[float]) -> Chart:
    labels = [f"day {index}" for index in range(len(rows[0]))]
    return Chart("Texts", labels, [Series(f"row {index}", row) for index, row in enumerate(rows)])


@pytest.mark.parametrize(
    ("highest", "top"),
    [(0, 2), (1, 2), (2, 2), (3, 4), (5, 6), (7, 10), (10, 10), (11, 20), (41, 60), (99, 100), (1240, 2000)],
)
def test_scale_ends_at_a_round_number(highest: float, top: float) -> None:
    assert scale_top(highest) == top


@given(highest=st.floats(min_value=0, max_value=1e12))
def test_scale_holds_the_highest_value_and_wastes_at_most_half(highest: float) -> None:
    top = scale_top(highest)
    assert top >= highest
    assert top <= max(2, 2 * highest)


@given(below=VALUES)
def test_bars_stay_inside_the_drawing(below: list[float]) -> None:
    chart = _chart(below, below)
    for column in bar_columns(chart):
        for rect in column.rects:
            assert -0.01 <= rect.y <= HEIGHT
            assert rect.y + rect.height <= HEIGHT + 0.02
            assert column.x <= rect.x
            assert rect.x + rect.width <= column.x + column.width + 0.02 <= WIDTH + 0.04


def test_stacked_bars_stand_on_each_other() -> None:
    [column] = bar_columns(_chart([3], [1]))
    lower, upper = column.rects
    assert lower.y + lower.height == HEIGHT
    assert upper.y + upper.height == lower.y
    assert lower.height == 3 * upper.height


def test_nothing_is_drawn_for_zero() -> None:
    chart = _chart([0, 0])
    assert [list(column.rects) for column in bar_columns(chart)] == [[], []]
    assert bar_scale(chart) == [2, 1, 0]


def test_lines_go_through_the_middle_of_the_columns() -> None:
    [line] = lines(_chart([0, 4]))
    assert line.path == "M150.0 160.0 L450.0 0.0"
    assert (line.end_x, line.end_y) == (WIDTH * 3 / 4, 0)


def test_a_chart_without_labels_is_empty() -> None:
    chart = Chart("Nothing", [], [Series("Texts", [])])
    assert bar_columns(chart) == []
    assert lines(chart) == []


def test_pointing_at_a_column_says_everything_about_it() -> None:
    chart = Chart(
        "Texts",
        ["Oct 5"],
        [Series("Delivered", [1240]), Series("Failed", [2])],
        unit="texts",
        urls=["/messages/?day=1"],
    )
    [column] = line_columns(chart)
    assert column.tip == "Oct 5: Delivered 1,240 texts, Failed 2 texts"
    assert column.url == "/messages/?day=1"
    assert column.numbers == [1240, 2]


@pytest.mark.parametrize(("days", "shown"), [(3, 3), (6, 6), (7, 4), (30, 6), (31, 6), (90, 6)])
def test_labels_are_thinned_out(days: int, shown: int) -> None:
    columns = bar_columns(_chart([1.0] * days))
    labels = [column for column in columns if column.shown_label]
    assert len(labels) == shown
    assert columns[0].shown_label == "day 0"
    assert [column.is_spare for column in labels[:3]] == [False, True, False]


@pytest.mark.parametrize(
    ("labels", "values", "urls", "complaint"),
    [
        (["a", "b"], [1], [], "has 1 values for 2 labels"),
        (["a"], [1], ["/1", "/2"], "has 1 labels but 2 urls"),
        (["a"], [-1], [], "not zero or more"),
        (["a"], [float("nan")], [], "not zero or more"),
    ],
)
def test_numbers_that_cannot_be_drawn_are_refused(
    labels: list[str], values: list[float], urls: list[str], complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        Chart("Texts", labels, [Series("Row", values)], urls=urls)
