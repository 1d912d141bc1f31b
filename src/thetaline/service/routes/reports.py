"""The stored weekly reports of one learner: which there are, their pages, links that open them for a while."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Depends, Path, Query, Response

from thetaline.api import ErrorBody, LearnerReports, ReportLink
from thetaline.errors import StorageError
from thetaline.jobs.reports.artifacts import StoredReport, stored_reports
from thetaline.jobs.reports.keys import About
from thetaline.service.auth import Known, Learner
from thetaline.service.http_errors import ApiError, unavailable
from thetaline.service.services import Services, Shared
from thetaline.service.tokens import Principal, Scope

Row = dict[str, Any]
router = APIRouter(prefix="/learners/{user_id}/reports", tags=["reports"])
Week = Annotated[date, Path(description="the Monday of the week")]
Format = Annotated[str, Path(pattern=r"^((teacher|family)\.)?(html|pdf)$", description="html, pdf, teacher.html, …")]
HowMany = Annotated[int, Query(ge=1, le=1000)]
MOST = 100
CONTENT_TYPES = {"html": "text/html; charset=utf-8", "pdf": "application/pdf"}
# A page has styles and pictures of its own and nothing else; a browser is to run and load nothing, whatever it holds.
PAGE_HEADERS = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"}
GONE: dict[int | str, dict[str, Any]] = {
    410: {"model": ErrorBody, "description": "It rests on a run that was retracted, and is not made again yet."}
}
PAGE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The page.",
        "content": {
            "text/html": {"schema": {"type": "string"}},
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.get("", response_model=LearnerReports)
async def reports(learner: Learner, who: Known, services: Shared, most: HowMany = MOST) -> Row:
    """What is stored, newest week first; a learner's token sees what is made for learners and families."""
    found = await services.database.run(stored_reports, about=About.LEARNER, owner=learner, most=most)
    rows = [_entry(one) for one in found if one.superseded_at is None and _may_open(who, one.format)]
    return {"user_id": learner, "reports": rows}


async def stored_report(
    learner: Learner, who: Known, services: Shared, week_start: Week, report_format: Format
) -> StoredReport:
    """The report in the path, if the token may open it. Raises 403, 404, 410."""
    if not _may_open(who, report_format):
        raise ApiError(403, f"this token may not open {report_format}")
    find = partial(stored_reports, about=About.LEARNER, owner=learner, week=week_start, format_=report_format)
    found = await services.database.run(find)
    if not found:
        raise ApiError(404, f"no {report_format} report of {learner!r} is stored for the week of {week_start}")
    if found[0].superseded_at is not None:
        raise ApiError(410, "this report rests on a run that was retracted; it has not been made again yet")
    return found[0]


Stored = Annotated[StoredReport, Depends(stored_report)]


@router.get("/{week_start}/{report_format}", response_class=Response, responses={**PAGE, **GONE})
async def report(stored: Stored, services: Shared) -> Response:
    """The page itself."""
    data = await _of_store(services, stored, lambda store: store.get(stored.object_key))
    kind = stored.format.rpartition(".")[2]
    return Response(data, media_type=CONTENT_TYPES[kind], headers=PAGE_HEADERS)


@router.get("/{week_start}/{report_format}/link", response_model=ReportLink, responses=GONE)
async def report_link(stored: Stored, services: Shared) -> Row:
    """A link that opens the page for REPORT_LINK_SECS seconds without a token. Of a store that is a folder: 409."""
    secs = services.settings.report_link_secs
    expires_at = datetime.now(UTC) + timedelta(seconds=secs)

    def signed(store: Any) -> str:
        if not store.signs_links:
            raise ApiError(409, "reports lie in a folder, which has no links; ask for the report itself")
        return str(store.link(stored.object_key, secs=secs))

    return {"url": await _of_store(services, stored, signed), "expires_at": expires_at}


async def _of_store(services: Services, stored: StoredReport, ask: Any) -> Any:
    """What the store says, asked in a thread. Raises 404 for a page that is gone, 503 for a store that is away."""
    try:
        from thetaline.jobs.reports.storage import open_store  # noqa: PLC0415  (a library of the extra `reports`)

        return await anyio.to_thread.run_sync(lambda: ask(open_store(services.settings, stored.store)))
    except ModuleNotFoundError as error:
        raise unavailable("this service is installed without the extra `reports`, so it reaches no store") from error
    except StorageError as error:
        if error.absent:
            raise ApiError(404, "the report is not in the store any more; it is made again by the next run") from None
        raise unavailable("the store of reports is not available") from error


def _may_open(who: Principal, report_format: str) -> bool:
    """A teacher's page has what is not for learners."""
    return who.may(Scope.READ_ALL) or not report_format.startswith("teacher.")


def _entry(one: StoredReport) -> Row:
    return {name: getattr(one, name) for name in ("week_start", "format", "language", "generated_at")}
