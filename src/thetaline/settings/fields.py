"""Every setting with its type, default, description and limits.

A new setting is one line in `Settings`; the upper case of its name is the environment variable.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from thetaline.masking import MASK, mask_url

ENV_FILE = ".env"


def _setting(default: object, description: str, *, rule: str | Callable[[], str] = "", **limits: float) -> Any:
    """One setting; `rule` replaces the rule that is otherwise spelled out from type and limits."""
    finite = {"allow_inf_nan": False} if limits else {}
    return Field(default, description=description, json_schema_extra={"rule": rule}, **limits, **finite)  # type: ignore[call-overload]


def _must_start(*heads: str) -> AfterValidator:
    def check(value: str) -> str:
        if not value.startswith(heads):
            raise ValueError("wrong scheme")
        return value

    return AfterValidator(check)


def _models() -> list[str]:
    """Of answers that are right or wrong; loaded when asked for, since NumPy takes longer than most commands."""
    from thetaline.irt import FAMILIES  # noqa: PLC0415 - see above

    return [name for name, family in FAMILIES.items() if not family.polytomous]


def _in_any_case(name: str) -> str:
    known = {model.casefold(): model for model in _models()}
    if name.casefold() not in known:
        raise ValueError("unknown model")
    return known[name.casefold()]


def _auto(value: object) -> object:
    return None if isinstance(value, str) and value.casefold() == "auto" else value


def time_zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name. Raises ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:  # OSError: a folder of zones, a name too long for a file
        raise ValueError(f"{name!r} is no time zone") from error


PostgresUrl = Annotated[str, _must_start("postgresql://", "postgres://")]
HttpUrl = Annotated[str, _must_start("http://", "https://")]
ZoneName = Annotated[str, AfterValidator(lambda name: time_zone(name).key)]
_ZONE_RULE = "an IANA time zone, for example Asia/Seoul"
_POSTGRES_RULE = "a URL postgresql://user:password@host:port/database, or unset for the embedded database"
_HTTP_RULE = "a URL that starts with http:// or https://, or unset"


class Settings(BaseSettings):
    """Every setting that the pipeline knows; a wrong value stops the start (see `load`)."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    # where
    database_url: PostgresUrl | None = _setting(None, "database; unset: the embedded PostgreSQL", rule=_POSTGRES_RULE)
    thetaline_data_dir: str | None = _setting(None, "folder of the embedded database; unset: the user's data folder")
    r_irt_base_url: HttpUrl | None = _setting(None, "IRT service; unset: calibrate in-process", rule=_HTTP_RULE)
    r_irt_internal_token: SecretStr | None = _setting(None, "bearer token of the IRT service")
    r_irt_timeout_secs: float = _setting(300.0, "seconds to wait for the IRT service", gt=0, le=86_400)
    thetaline_time_zone: ZoneName = _setting("UTC", "time zone of school days and ISO weeks", rule=_ZONE_RULE)
    dry_run: bool = _setting(False, "jobs write nothing")
    # calibration
    mirt_lookback_days: int = _setting(30, "days of answers in a calibration window", ge=1, le=3650)
    mirt_model: Annotated[str, AfterValidator(_in_any_case)] = _setting(
        "2PL", "item response model", rule=lambda: "one of " + ", ".join(_models())
    )
    mirt_max_obs: int = _setting(0, "most answers in a calibration, the newest are kept; 0: no limit", ge=0)
    mirt_max_retries: int = _setting(3, "retries of a failed call to the IRT service", ge=0, le=100)
    mirt_retry_delay_secs: float = _setting(0.5, "attempt k waits k times this long, in seconds", ge=0, le=3600)
    mirt_min_item_answers: int = _setting(30, "fewest answers of an item in a calibration", ge=1)
    mirt_min_user_answers: int = _setting(3, "fewest answers of a learner whose θ is published", ge=1)
    # the publication gate
    mirt_gate_min_items: int = _setting(5, "fewest calibrated items to publish", ge=2)
    mirt_gate_min_users: int = _setting(50, "fewest learners to publish", ge=2)
    mirt_gate_a_min: float = _setting(0.05, "lowest discrimination to publish", ge=-10, le=10)
    mirt_gate_a_max: float = _setting(6.0, "highest discrimination to publish", gt=0, le=100)
    mirt_gate_b_max: float = _setting(8.0, "highest |difficulty| to publish", gt=0, le=100)
    mirt_gate_min_anchors: int = _setting(3, "fewest anchors left after screening to publish", ge=3)
    mirt_gate_max_rmsd: float = _setting(0.75, "largest RMSD of the anchors' b after linking to publish", gt=0, le=100)
    mirt_gate_min_correlation_a: float = _setting(0.0, "lowest correlation of a with the published", ge=-1, le=1)
    mirt_gate_min_correlation_b: float = _setting(0.7, "lowest correlation of b with the published", ge=-1, le=1)
    mirt_gate_max_copied: float = _setting(0.02, "largest share of answers of copied learners to publish", ge=0, le=1)
    mirt_gate_max_moved: float = _setting(0.015, "largest share of items off their published parameters", ge=0, le=1)
    mirt_gate_max_theta_shift: float = _setting(0.8, "largest median change of known learners", gt=0, le=100)
    mirt_gate_min_correlation_theta: float = _setting(
        0.2, "lowest correlation of theta with the published", ge=-1, le=1
    )
    mirt_gate_max_odd_days: float = _setting(0.01, "largest share of answers of days marked unlike others", ge=0, le=1)
    mirt_gate_max_references_gap: float = _setting(
        0.25, "largest change of the references' unit or origin", ge=0, le=100
    )
    mirt_gate_max_changed_learners: float = _setting(
        0.05, "largest share of known learners whose theta changed beyond its errors", ge=0, le=1
    )
    # features and indicators
    agg_lookback_days: int = _setting(7, "days of daily features that a run refreshes", ge=1, le=3650)
    agg_include_theta: bool = _setting(True, "daily features carry θ")
    kpi_lookback_days: int = _setting(
        30, "days of activity that make a learner's weekly KPIs due; KPIs look 56 days back", ge=1, le=56
    )
    metrics_default_target: float = _setting(0.0, "goal on the θ scale of a learner without one", ge=-6, le=6)
    # growth
    glmm_lookback_weeks: int = _setting(12, "weeks of the mixed model and of weekly θ", ge=3, le=104)
    glmm_min_observations: int = _setting(10, "fewest weekly θ for a mixed model", ge=3)
    glmm_update_kpi: bool = _setting(True, "slopes of the mixed model go into the weekly KPIs")
    brms_lookback_weeks: int = _setting(12, "weeks of answers of the growth lines", ge=3, le=104)
    # forecast, churn and segments
    prophet_lookback_weeks: int = _setting(12, "weeks of the series that are forecast", ge=4, le=104)
    prophet_forecast_weeks: int = _setting(4, "weeks ahead", ge=1, le=4)
    prophet_anomaly_threshold: float = _setting(
        2.5, "least |z| of an anomaly, beside the control of false discoveries", ge=0, le=100
    )
    survival_lookback_days: int = _setting(90, "days with a landmark of the hazard of silence", ge=56, le=730)
    survival_event_threshold_days: int = _setting(14, "school days without activity that are a silence", ge=7, le=28)
    cluster_lookback_weeks: int = _setting(12, "weeks of answers that segments are made of", ge=2, le=104)
    cluster_n_clusters: Annotated[int | None, BeforeValidator(_auto)] = _setting(
        None,
        "number of segments; auto: the data choose from 1 to 8",
        rule="auto or a whole number from 1 to 8",
        ge=1,
        le=8,
    )
    # reports
    report_format: Literal["html", "pdf", "both"] = _setting(
        "html", "what a weekly report is rendered as", rule="html, pdf or both"
    )
    report_language: Literal["ko", "en"] = _setting("en", "language of the weekly reports", rule="ko or en")
    report_show_percentile_to_learners: bool = _setting(False, "learners' pages show their percentile")
    report_show_percentile_to_families: bool = _setting(False, "families' pages show the learner's percentile")
    report_show_risk_to_teachers: bool = _setting(True, "teachers' pages show the chance of a long break")
    report_show_segment_to_teachers: bool = _setting(True, "teachers' pages show the learner's segment")
    report_folder: str | None = _setting(
        None, "folder where reports/ lies where no bucket is set; unset: our own data folder"
    )
    report_levels_file: str | None = _setting(
        None, "TOML file with cuts on the θ scale and the name and text of each level in both languages"
    )
    report_link_secs: int = _setting(900, "seconds that a link to a report opens it", ge=10, le=604_800)
    s3_bucket: str | None = _setting(None, "bucket of the reports; unset: a local folder")
    aws_endpoint_url: HttpUrl | None = _setting(None, "S3 server that is not Amazon's", rule=_HTTP_RULE)
    aws_region: str | None = _setting(None, "region of the bucket")
    aws_access_key_id: str | None = _setting(None, "key of the bucket; unset: the machine's own identity")
    aws_secret_access_key: SecretStr | None = _setting(None, "secret of that key")
    aws_session_token: SecretStr | None = _setting(None, "session of that key, where it has one")
    # the HTTP service
    service_name: str = _setting("r-irt-plumber", "name that /healthz answers with")
    service_host: str = _setting("127.0.0.1", "address that the service listens on")
    service_port: int = _setting(8000, "port that the service listens on; 0: any free one", ge=0, le=65_535)
    service_max_body_mb: float = _setting(128.0, "largest request body, decompressed, in MB", gt=0, le=4096)
    service_max_observations: int = _setting(2_000_000, "most answers in one request", ge=1)
    service_body_timeout_secs: float = _setting(60.0, "seconds for a request's body to arrive", gt=0, le=3600)
    service_header_timeout_secs: float = _setting(10.0, "seconds for a request's headers to arrive", gt=0, le=600)
    service_max_connections: int = _setting(4096, "most open connections; more are refused with 503", ge=1)
    service_rate_per_sec: float = _setting(1000.0, "requests a second that a token may make", gt=0)
    service_workers: int = _setting(2, "processes for fits", ge=1, le=64)
    service_worker_memory_mb: int = _setting(4096, "address space of a fit process, in MB", ge=512)
    service_fit_queue: int = _setting(4, "fits that may wait for a process; more are refused with 429", ge=0)
    service_fit_timeout_secs: float = _setting(120.0, "seconds after which a fit in a request ends", gt=0, le=86_400)
    service_large_mb: float = _setting(8.0, "a larger calibration body is answered by 202 and a job, in MB", ge=0)
    service_job_timeout_secs: float = _setting(3600.0, "seconds after which a large fit is ended", gt=0, le=86_400)
    service_max_jobs: int = _setting(100, "most large fits that wait or run; more are refused with 429", ge=1)
    service_job_retention_days: int = _setting(7, "days that a large fit's result is kept", ge=1, le=365)
    service_shutdown_secs: float = _setting(30.0, "seconds that a stopping service gives its requests", ge=0, le=3600)

    @property
    def time_zone(self) -> ZoneInfo:
        """Whose clocks say which day it is."""
        return time_zone(self.thetaline_time_zone)

    @property
    def data_folder(self) -> Path:
        """Where our own files lie: the embedded database and the demo's answers."""
        return Path(self.thetaline_data_dir).expanduser() if self.thetaline_data_dir else _user_data() / "thetaline"

    @property
    def reports_folder(self) -> Path:
        """Where reports lie when there is no bucket, in reports/ of it."""
        return Path(self.report_folder).expanduser() if self.report_folder else self.data_folder

    @property
    def database_folder(self) -> Path:
        """The embedded database's part of it."""
        return self.data_folder / "postgres"

    def __repr__(self) -> str:
        """Without secrets: a setting's repr ends up in logs and tracebacks."""
        shown = ", ".join(f"{name}={shown_value(getattr(self, name))}" for name in type(self).model_fields)
        return f"Settings({shown})"

    __str__ = __repr__


def shown_value(value: object) -> str:
    """As people read it, without secrets."""
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return str(value).lower()
    return MASK if isinstance(value, SecretStr) else mask_url(str(value))


def _user_data() -> Path:
    """The folder that the platform keeps for a user's data (XDG Base Directory; Library on macOS)."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
