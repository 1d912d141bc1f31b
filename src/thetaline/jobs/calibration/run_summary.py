"""A calibration as the ledger keeps it: what the gate looks at, `model_spec` and `metrics`. Values in, values out."""

from dataclasses import asdict, dataclass

import numpy as np

from thetaline.jobs.anchors.references import AnchorSet
from thetaline.jobs.calibration.engine import AbilityEstimates, CalibrationReply, CalibrationRequest
from thetaline.jobs.calibration.exclusions import Excluded
from thetaline.jobs.calibration.gate import Evidence, Reference
from thetaline.jobs.calibration.window import WindowAnswers
from thetaline.learning.windows import Window
from thetaline.settings import Settings

# An item that hardly tells learners apart, or whose place is hardly known, is named for a person to look at.
WEAK_A = 0.35
VAGUE_SE_B = 0.6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fitted:
    """One calibration before its verdict."""

    window: Window
    answers: WindowAnswers
    anchors: AnchorSet
    request: CalibrationRequest
    connected_parts: int
    excluded_items: Excluded
    reply: CalibrationReply
    excluded_users: Excluded


def evidence(fitted: Fitted, published: Reference | None) -> Evidence:
    """What the gate looks at."""
    reply, linking = fitted.reply, fitted.reply.linking
    return Evidence(
        status=reply.fit.status,
        converged=reply.fit.converged,
        n_users=published_abilities(fitted).user_ids.size,
        item_ids=reply.items.item_ids,
        a=reply.items.parameters["a"],
        b=reply.items.parameters["b"],
        n_anchors_tagged=len(fitted.anchors) + len(fitted.anchors.malformed),
        n_anchors_used=linking.n_anchors_used if linking else 0,
        linked=linking is not None,
        rmsd=link_rmsd(fitted),
        link_message=reply.not_linked,
        published=published,
    )


def published_abilities(fitted: Fitted) -> AbilityEstimates:
    """Of the learners with answers enough."""
    all_of_them = fitted.reply.abilities
    kept = ~np.isin(all_of_them.user_ids.astype(str), fitted.excluded_users.ids.astype(str))
    return AbilityEstimates(user_ids=all_of_them.user_ids[kept], theta=all_of_them.theta[kept], se=all_of_them.se[kept])


def link_rmsd(fitted: Fitted) -> float | None:
    """Root mean square of b − b_reference over the anchors that were used; told by the values, whoever linked them."""
    linking = fitted.reply.linking
    if linking is None:
        return None
    b = dict(zip(fitted.reply.items.item_ids, fitted.reply.items.parameters["b"], strict=True))
    used = [anchor for anchor in fitted.anchors if anchor.item_id in b and anchor.item_id not in linking.dropped]
    differences = np.array([b[anchor.item_id] - anchor.b for anchor in used])
    return float(np.sqrt(np.mean(np.square(differences)))) if used else float("nan")


def model_spec(fitted: Fitted, settings: Settings) -> dict[str, object]:
    """What was fitted to what, under which settings."""
    linking = fitted.reply.linking
    return {
        "model": fitted.request.model,
        "n_items": int(fitted.reply.items.item_ids.size),
        "n_users": int(fitted.reply.abilities.user_ids.size),
        "n_anchors": len(fitted.request.anchors),
        "linking_constants": linking.constants() if linking else None,
        "linked": linking is not None,
        "window": _span(fitted.window),
        "settings": recorded_settings(settings),
        "engine": fitted.reply.fit.engine,
    }


def recorded_settings(settings: Settings) -> dict[str, object]:
    """The settings that the result depends on."""
    return {name: value for name, value in settings.model_dump().items() if name.startswith("mirt_")}


def metrics(fitted: Fitted) -> dict[str, object]:
    """How it went, and everything that was left out; ids are complete, so that nothing is lost."""
    fit = asdict(fitted.reply.fit)
    del fit["engine"]
    return {
        **fit,
        "n_answers": fitted.request.observations.n_answers,
        "connected_parts": fitted.connected_parts,
        "n_published_abilities": int(published_abilities(fitted).user_ids.size),
        "left_out_answers": {
            "repeats": fitted.answers.n_repeats,
            "contradictory": fitted.answers.n_contradictory,
            "over_limit": fitted.answers.n_over_limit,
        },
        "excluded_items": fitted.excluded_items.listed(),
        "excluded_users": fitted.excluded_users.ids_by_reason(),
        "anchors": anchor_metrics(fitted),
        "rmsd": link_rmsd(fitted),
        "population": _population(fitted.reply),
        "flagged_items": flagged_items(fitted.reply),
    }


def anchor_metrics(fitted: Fitted) -> dict[str, object]:
    """Which anchors did not carry the link, and why."""
    linking = fitted.reply.linking
    observed = set(fitted.request.observations.item_ids)
    return {
        "dropped": dict(linking.dropped) if linking else {},
        "not_calibrated": [item_id for item_id in fitted.anchors.item_ids if item_id not in observed],
        "malformed": dict(fitted.anchors.malformed),
        "not_linked": fitted.reply.not_linked or None,
    }


def flagged_items(reply: CalibrationReply) -> list[dict[str, object]]:
    """Items that are published but deserve a look, weakest first, each with every reason."""
    a, b = reply.items.parameters["a"], reply.items.parameters["b"]
    se_b = reply.items.se.get("b", np.full(b.size, np.nan))
    ids = reply.items.item_ids.tolist()
    reasons = {
        **{finding: np.isin(ids, names) for finding, names in reply.item_notes.items()},
        f"a below {WEAK_A:g}": a < WEAK_A,
        f"standard error of b above {VAGUE_SE_B:g}": se_b > VAGUE_SE_B,
    }
    return [
        {
            "item_id": ids[i],
            "reason": "; ".join(reason for reason, holds in reasons.items() if holds[i]),
            "a": float(a[i]),
            "b": float(b[i]),
            "se_b": float(se_b[i]),
        }
        for i in np.argsort(a, kind="stable").tolist()
        if any(holds[i] for holds in reasons.values())
    ]


def _population(reply: CalibrationReply) -> dict[str, float] | None:
    if reply.population is None:
        return None
    mean, sd = reply.population
    return {"mean": mean, "sd": sd}


def summary(fitted: Fitted) -> dict[str, object]:
    """What a program wants to know of a night: counts and constants."""
    linking = fitted.reply.linking
    return {
        "window": _span(fitted.window),
        "model": fitted.request.model,
        "n_answers": fitted.request.observations.n_answers,
        "n_items": int(fitted.reply.items.item_ids.size),
        "n_users": int(fitted.reply.abilities.user_ids.size),
        "connected_parts": fitted.connected_parts,
        "n_published_abilities": int(published_abilities(fitted).user_ids.size),
        "n_anchors": len(fitted.request.anchors),
        "linking_constants": linking.constants() if linking else None,
        "excluded_items": fitted.excluded_items.by_reason(),
        "excluded_users": fitted.excluded_users.by_reason(),
    }


def _span(window: Window) -> dict[str, str]:
    return {"start": f"{window.start_at:%Y-%m-%d}", "stop": f"{window.stop_at:%Y-%m-%d}"}
