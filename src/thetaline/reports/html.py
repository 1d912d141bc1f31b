"""A report as one HTML file: no script, no network, all text escaped."""

from functools import cache
from typing import TYPE_CHECKING

from thetaline import charts
from thetaline.reports.class_page import class_page
from thetaline.reports.class_value import ClassReport
from thetaline.reports.descriptors import Descriptors, default_descriptors
from thetaline.reports.extra import require
from thetaline.reports.learner_page import learner_page
from thetaline.reports.page import Page
from thetaline.reports.value import WeeklyReport

if TYPE_CHECKING:
    from jinja2 import Template


def render_html(report: WeeklyReport, descriptors: Descriptors | None = None) -> str:
    """The learner's week as HTML; the same value gives the same text.

    Raises InputError where the extra `reports` is not installed.
    """
    require("babel", "jinja2")
    return _rendered(learner_page(report, descriptors or default_descriptors()))


def render_class_html(report: ClassReport) -> str:
    """The class's week as HTML."""
    require("babel", "jinja2")
    return _rendered(class_page(report))


def _rendered(page: Page) -> str:
    return _template().render(page=page)


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - the extra `reports`

    environment = Environment(
        loader=PackageLoader("thetaline.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        chart_style=charts.style_sheet(),
        light=charts.variables(charts.LIGHT),
        dark=charts.variables(charts.DARK),
        forced=charts.variables(charts.FORCED),
    )
    return environment.get_template("page.html.j2")
