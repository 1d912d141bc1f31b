"""A calibration reply as the contract's JSON."""

import math
from collections.abc import Mapping
from datetime import datetime

from pydantic_core import to_json

from thetaline.jobs.calibration.engine import CalibrationReply, CalibrationRequest, ItemEstimates


def reply_json(request: CalibrationRequest, reply: CalibrationReply, *, now: datetime) -> bytes:
    """The body of a 200; a number that is not finite becomes null."""
    fit = reply.fit
    body = {
        "status": "ok",
        "fit_meta": {
            "run_id": f"fit-{now:%Y-%m-%dT%H:%M:%SZ}",
            "model_spec": {
                "model": request.model,
                "n_items": len(reply.items.item_ids),
                "n_users": len(reply.abilities.user_ids),
                "n_anchors": len(request.anchors),
            },
            "linked": reply.linking is not None,
            "not_linked": reply.not_linked or None,
            "linking_constants": _linking(reply),
            "population": None
            if reply.population is None
            else dict(zip(("mean", "sd"), reply.population, strict=True)),
            "item_notes": {finding: list(names) for finding, names in reply.item_notes.items()},
            "metrics": {
                "log_likelihood": fit.log_likelihood,
                "aic": fit.aic,
                "bic": fit.bic,
                "cycles": fit.cycles,
                "converged": fit.converged,
                "status": fit.status,
                "engine": fit.engine,
            },
        },
        "item_params": _items(reply.items),
        "abilities": _abilities(reply),
    }
    return to_json(body, inf_nan_mode="null")


def _linking(reply: CalibrationReply) -> dict[str, object] | None:
    if reply.linking is None:
        return None
    return {**reply.linking.constants(), "dropped": dict(reply.linking.dropped)}


def _items(items: ItemEstimates) -> list[dict[str, object]]:
    params = {name: values.tolist() for name, values in items.parameters.items()}
    errors = {name: values.tolist() for name, values in items.se.items()}
    return [
        {
            "item_id": item_id,
            "params": {**_finite(params, i), "c": params["c"][i] if _has(params, "c", i) else 0.0},
            "se": _finite(errors, i),
        }
        for i, item_id in enumerate(items.item_ids.tolist())
    ]


def _finite(columns: Mapping[str, list[float]], i: int) -> dict[str, float]:
    return {name: values[i] for name, values in columns.items() if math.isfinite(values[i])}


def _has(columns: Mapping[str, list[float]], name: str, i: int) -> bool:
    return name in columns and math.isfinite(columns[name][i])


def _abilities(reply: CalibrationReply) -> list[dict[str, object]]:
    abilities = reply.abilities
    columns = (abilities.user_ids.tolist(), abilities.theta.tolist(), abilities.se.tolist())
    return [{"user_id": user, "theta": theta, "se": se} for user, theta, se in zip(*columns, strict=True)]
