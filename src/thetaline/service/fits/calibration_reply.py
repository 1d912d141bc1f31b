"""A calibration reply as the contract's JSON."""

from datetime import datetime

from pydantic_core import to_json

from thetaline.jobs.calibration.engine import CalibrationReply, CalibrationRequest, ItemEstimates
from thetaline.service.responses import finite_rows


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
        "free_anchors": None if reply.free_anchors is None else _items(reply.free_anchors),
    }
    return to_json(body, inf_nan_mode="null")


def _linking(reply: CalibrationReply) -> dict[str, object] | None:
    if reply.linking is None:
        return None
    return {**reply.linking.constants(), "dropped": dict(reply.linking.dropped)}


def _items(items: ItemEstimates) -> list[dict[str, object]]:
    n = len(items.item_ids)
    covariance = {} if items.covariance_ab is None else {"cov_ab": items.covariance_ab}
    columns = (items.item_ids.tolist(), *(finite_rows(each, n) for each in (items.parameters, items.se, covariance)))
    return [
        {"item_id": item_id, "params": {**params, "c": params.get("c", 0.0)}, "se": se, **cov}
        for item_id, params, se, cov in zip(*columns, strict=True)
    ]


def _abilities(reply: CalibrationReply) -> list[dict[str, object]]:
    abilities = reply.abilities
    columns = (abilities.user_ids.tolist(), abilities.theta.tolist(), abilities.se.tolist())
    return [{"user_id": user, "theta": theta, "se": se} for user, theta, se in zip(*columns, strict=True)]
