"""The stage of the night that makes the weekly reports, where their libraries are installed."""

from importlib.util import find_spec

from thetaline import logs
from thetaline.jobs.runner import JobContext, Summary

LIBRARIES = ("babel", "jinja2", "obstore", "typst")
log = logs.get_logger(__name__)


def work(context: JobContext) -> Summary:
    """The reports of every learner and class; without the extra `reports` a warning, and nothing is made."""
    absent = [name for name in LIBRARIES if find_spec(name) is None]
    if absent:
        reason = f"reports need {', '.join(absent)}: pip install 'thetaline[reports]'"
        log.warning("no reports are made", reason=reason)
        return {"made": 0, "reason": reason}
    from thetaline.jobs.reports import generate  # noqa: PLC0415  (libraries of the extra)

    return generate.work(context)
