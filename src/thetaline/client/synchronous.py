"""The blocking client."""

from contextlib import suppress
from dataclasses import replace
from datetime import date
from uuid import UUID

import httpx

from thetaline import api
from thetaline.client import calls
from thetaline.client.connection import Connection
from thetaline.client.polling import LOOK_SECS, OnProgress, Polling
from thetaline.errors import ServiceError


class Client(Connection):
    """One connection pool to one service: `with Client(url, token) as client: client.score(...)`.

    Raises ServiceError with the status and the server's own words; connection errors, 429 and 502 to 504 are retried.
    """

    def calibrate(
        self,
        request: api.CalibrateRequest | bytes,
        *,
        content_type: str = calls.JSON,
        model: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> api.CalibrateResponse:
        """Calibrate, wait for a large fit, and return the result; bytes are a body of `content_type` as it stands.

        A fit that is not small is asked for as a job; while it is waited for, a service that is away is asked again.
        `model` is for a body that names none. `on_progress` hears of a job at each look.
        """
        call = calls.calibrate(request, content_type, model)
        response = self._answer(call)
        if response.status_code != httpx.codes.ACCEPTED:
            return calls.read(calls.as_result(call), response)
        return self._wait_for(calls.read(calls.as_job(call), response).job_id, on_progress)

    def health(self) -> api.Health:
        """Whether the process answers, and its name and version."""
        return self._call(calls.health())

    def ready(self) -> api.Readiness:
        """Whether database, schema and fit processes are there."""
        return self._call(calls.ready())

    def score(self, request: api.ScoreRequest) -> api.ScoreResponse:
        """Abilities on fixed item parameters."""
        return self._call(calls.score(request))

    def link(self, request: api.LinkRequest) -> api.LinkResponse:
        """The transformation of one calibration onto the scale of another."""
        return self._call(calls.link(request))

    def information(self, request: api.InformationRequest) -> api.InformationResponse:
        """Information and expected score of items over θ."""
        return self._call(calls.information(request))

    def next_items(self, request: api.NextItemsRequest) -> api.NextItemsResponse:
        """The items that tell most about an ability."""
        return self._call(calls.next_items(request))

    def fit_progress(self, request: api.FitProgressRequest) -> api.FitProgressResponse:
        """A mixed model of scores over weeks."""
        return self._call(calls.fit_progress(request))

    def predict_progress(self, request: api.PredictProgressRequest) -> api.PredictProgressResponse:
        """Scores of new rows by a mixed model."""
        return self._call(calls.predict_progress(request))

    def fit_growth(self, request: api.GrowthFitRequest) -> api.GrowthFitResponse:
        """Growth lines of learners from their answers."""
        return self._call(calls.fit_growth(request))

    def predict_growth(self, request: api.GrowthPredictRequest) -> api.GrowthPredictResponse:
        """Where growth lines lead, and the probability of goals."""
        return self._call(calls.predict_growth(request))

    def fit_survival(self, request: api.SurvivalFitRequest) -> api.SurvivalFitResponse:
        """The risk of falling silent, from days of answers."""
        return self._call(calls.fit_survival(request))

    def fit_clusters(self, request: api.ClusterFitRequest) -> api.ClusterFitResponse:
        """Learners grouped by their features."""
        return self._call(calls.fit_clusters(request))

    def fit_forecast(self, request: api.ForecastRequest) -> api.ForecastResponse:
        """Weekly series up to four weeks ahead, odd newest weeks, changes of level."""
        return self._call(calls.fit_forecast(request))

    def forecast_summary(self, request: api.ForecastRequest) -> api.ForecastSummaryResponse:
        """The same, a line a series."""
        return self._call(calls.forecast_summary(request))

    def theta(self, user_id: str) -> api.LearnerTheta:
        """The latest θ of a learner, general and per topic."""
        return self._call(calls.theta(user_id))

    def theta_history(self, user_id: str, *, topic_id: str | None = None) -> api.ThetaHistory:
        """Every θ of a learner, newest first."""
        return self._call(calls.theta_history(user_id, topic_id))

    def update_theta(self, user_id: str, request: api.ThetaUpdateRequest) -> api.ThetaUpdated:
        """Carry θ over a session; the same answers again change nothing."""
        return self._call(calls.update_theta(user_id, request))

    def kpis(self, user_id: str, *, weeks: int = 12) -> api.KpiHistory:
        """The weekly KPIs, newest week first."""
        return self._call(calls.kpis(user_id, weeks))

    def reports(self, user_id: str) -> api.LearnerReports:
        """The weekly reports that are stored, newest week first."""
        return self._call(calls.reports(user_id))

    def report(self, user_id: str, week_start: date, report_format: str = "html") -> bytes:
        """The page of a week as it is stored."""
        return self._call(calls.report(user_id, week_start, report_format))

    def report_link(self, user_id: str, week_start: date, report_format: str = "html") -> api.ReportLink:
        """A link that opens the page for a while without a token."""
        return self._call(calls.report_link(user_id, week_start, report_format))

    def recompute_week(self, user_id: str, week_start: date) -> api.WeekRecomputed:
        """Compute the indicators of the week that starts on that Monday again."""
        return self._call(calls.recompute_week(user_id, week_start))

    def learner_next_items(self, user_id: str, *, n: int = 5) -> api.NextItemsResponse:
        """What of the published bank to ask a learner next."""
        return self._call(calls.learner_next_items(user_id, n))

    def items(self, *, after: str | None = None, limit: int = 100) -> api.BankPage:
        """A page of the published bank."""
        return self._call(calls.items(after, limit))

    def item(self, item_id: str) -> api.BankItem:
        """One item of the published bank."""
        return self._call(calls.item(item_id))

    def item_history(self, item_id: str) -> api.ItemHistory:
        """The parameters of an item by published run."""
        return self._call(calls.item_history(item_id))

    def runs(self, *, limit: int = 50) -> api.RunPage:
        """The newest runs of the ledger."""
        return self._call(calls.runs(limit))

    def run(self, run_id: str) -> api.LedgerRun:
        """One run with its gate."""
        return self._call(calls.run(run_id))

    def drift_alerts(self) -> api.DriftAlerts:
        """Items that moved against their reference, open alerts only."""
        return self._call(calls.drift_alerts())

    def job(self, job_id: UUID | str) -> api.Job:
        """A large fit as it is now."""
        return self._call(calls.job(job_id))

    def job_result(self, job_id: UUID | str) -> api.CalibrateResponse:
        """The result of a large fit that is done."""
        return self._call(calls.job_result(job_id))

    def cancel_job(self, job_id: UUID | str) -> api.Job:
        """Stop a large fit; the process that works on it is ended."""
        return self._call(calls.cancel_job(job_id))

    def _wait_for(self, job_id: UUID, on_progress: OnProgress | None) -> api.CalibrateResponse:
        poll = Polling(self._timeout_secs, self._clock)
        try:
            while (found := self._look(job_id, poll, on_progress)) is None:
                self._sleep(poll.next_wait(job_id))
        except BaseException:
            # Nobody will fetch it: a fit that is no longer waited for would keep a process busy.
            with suppress(ServiceError):
                self._call(replace(calls.cancel_job(job_id), timeout_secs=LOOK_SECS))
            raise
        return found

    def _look(self, job_id: UUID, poll: Polling, on_progress: OnProgress | None) -> api.CalibrateResponse | None:
        """The result; None for not yet, or while the service is away."""
        try:
            job = self._call(replace(calls.job(job_id), timeout_secs=poll.look_secs))
            found = self.job_result(job_id) if job.state is api.JobState.DONE else None
        except ServiceError as error:
            poll.require_passing(error)
            return None
        if job.state.final:
            poll.require_done(job)
        elif on_progress is not None:
            on_progress(job)
        return found
