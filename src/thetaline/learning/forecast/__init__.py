"""Forecasts of weekly series, anomalies of the newest week, changes of level."""

from thetaline.learning.forecast.anomalies import (
    DEFAULT_THRESHOLD as DEFAULT_THRESHOLD,
    alarms_of_week as alarms_of_week,
    anomalies as anomalies,
)
from thetaline.learning.forecast.change_points import NO_CHANGE as NO_CHANGE, Changes as Changes
from thetaline.learning.forecast.fit import MOST_WEEKS_AHEAD as MOST_WEEKS_AHEAD, forecast_panel as forecast_panel
from thetaline.learning.forecast.result import (
    LEVELS as LEVELS,
    Forecasts as Forecasts,
    PanelForecast as PanelForecast,
    WeekTest as WeekTest,
)
from thetaline.learning.forecast.scales import Metric as Metric
from thetaline.learning.forecast.series import (
    MIN_WEEKS as MIN_WEEKS,
    MOST_WEEKS as MOST_WEEKS,
    Panel as Panel,
    WeekCalendar as WeekCalendar,
    week_calendar as week_calendar,
)
