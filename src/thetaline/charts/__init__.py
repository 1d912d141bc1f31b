"""Small SVG charts for pages, print and notebooks: colour-blind safe, with caption, text alternative and data."""

from thetaline.charts.chart import (
    Chart as Chart,
    ChartText as ChartText,
    DataTable as DataTable,
    style_sheet as style_sheet,
)
from thetaline.charts.intervals import Row as Row, Shape as Shape, interval_rows as interval_rows
from thetaline.charts.palette import (
    DARK as DARK,
    FORCED as FORCED,
    LIGHT as LIGHT,
    Palette as Palette,
    variables as variables,
)
from thetaline.charts.scale import Number as Number
from thetaline.charts.stacks import Dot as Dot, Marker as Marker, stacked_dots as stacked_dots
from thetaline.charts.steps import level_steps as level_steps
from thetaline.charts.trend import Ahead as Ahead, Ranged as Ranged, TrendData as TrendData, trend_chart as trend_chart
