"""What is derived from a calibration: the gate's input, `model_spec`, `metrics`, the summary. Values in, values out."""

from dataclasses import asdict, dataclass

import numpy as np

from thetaline.jobs.anchors.references import AnchorSet
from thetaline.jobs.arrays import Int32s
from thetaline.jobs.calibration.classical_statistics import classical_statistics
from thetaline.jobs.calibration.engine import AbilityEstimates, CalibrationReply, CalibrationRequest
from thetaline.jobs.calibration.exclusions import Excluded
from thetaline.jobs.calibration.gate_values import GateInput, PublishedParameters
from thetaline.jobs.calibration.published_comparison import anchors_rmsd
from thetaline.jobs.calibration.soundness import soundness
from thetaline.jobs.calibration.window import WindowAnswers, span
from thetaline.learning.windows import Window
from thetaline.settings import Settings

# Items below or above these are published and flagged.
LOW_A = 0.35
HIGH_SE_B = 0.6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibrationRun:
    """What was read, what was fitted to it and what came out, before the gate."""

    window: Window
    answers: WindowAnswers
    anchors: AnchorSet
    request: CalibrationRequest
    connected_parts: int
    day: Int32s  # (M,) number of the school day of each answer of the request
    excluded_items: Excluded
    reply: CalibrationReply
    excluded_users: Excluded


def gate_input(run: CalibrationRun, published: PublishedParameters | None) -> GateInput:
    """What the gate checks."""
    reply, linking = run.reply, run.reply.linking
    return GateInput(
        status=reply.fit.status,
        converged=reply.fit.converged,
        n_users=published_abilities(run).user_ids.size,
        item_ids=reply.items.item_ids,
        a=reply.items.parameters["a"],
        b=reply.items.parameters["b"],
        n_anchors_tagged=len(run.anchors) + len(run.anchors.malformed),
        n_anchors_used=linking.n_anchors_used if linking else 0,
        linked=linking is not None,
        rmsd=link_rmsd(run),
        link_message=reply.not_linked,
        published=published,
        soundness=soundness(
            run.request.observations,
            reply,
            day=run.day,
            anchors=run.request.anchors,
            items=published.estimates if published else None,
            abilities=published.abilities if published else None,
        ),
    )


def published_abilities(run: CalibrationRun) -> AbilityEstimates:
    """Of the learners with enough answers."""
    estimates = run.reply.abilities
    kept = ~np.isin(estimates.user_ids.astype(str), run.excluded_users.ids.astype(str))
    return AbilityEstimates(user_ids=estimates.user_ids[kept], theta=estimates.theta[kept], se=estimates.se[kept])


def link_rmsd(run: CalibrationRun) -> float | None:
    """`anchors_rmsd` of the anchors that were used, whichever engine linked them; None without a link."""
    linking = run.reply.linking
    if linking is None:
        return None
    estimates = run.reply.free_anchors or run.reply.items  # anchors that were held fixed say nothing of their own
    return anchors_rmsd([one for one in run.anchors if one.item_id not in linking.dropped], estimates)


def model_spec(run: CalibrationRun, settings: Settings) -> dict[str, object]:
    """What was run to what, under which settings."""
    linking = run.reply.linking
    return {
        "model": run.request.model,
        "n_items": int(run.reply.items.item_ids.size),
        "n_users": int(run.reply.abilities.user_ids.size),
        "n_anchors": len(run.request.anchors),
        "linking_constants": linking.constants() if linking else None,
        "linked": linking is not None,
        "window": span(run.window),
        "settings": recorded_settings(settings),
        "engine": run.reply.fit.engine,
    }


def recorded_settings(settings: Settings) -> dict[str, object]:
    """The settings that the result depends on."""
    return {name: value for name, value in settings.model_dump().items() if name.startswith("mirt_")}


def metrics(run: CalibrationRun) -> dict[str, object]:
    """How the fit went, and what was left out, with all ids."""
    fit = asdict(run.reply.fit)
    del fit["engine"]
    return {
        **fit,
        "n_answers": run.request.observations.n_answers,
        "connected_parts": run.connected_parts,
        "n_published_abilities": int(published_abilities(run).user_ids.size),
        "left_out_answers": {
            "repeats": run.answers.n_repeats,
            "contradictory": run.answers.n_contradictory,
            "over_limit": run.answers.n_over_limit,
        },
        "excluded_items": run.excluded_items.listed(),
        "excluded_users": run.excluded_users.ids_by_reason(),
        "anchors": anchor_metrics(run),
        "rmsd": link_rmsd(run),
        "population": _population(run.reply),
        "flagged_items": flagged_items(run.reply),
        "classical": classical_statistics(run.request.observations),
    }


def anchor_metrics(run: CalibrationRun) -> dict[str, object]:
    """Which anchors were not used for the link, and why."""
    linking = run.reply.linking
    observed = set(run.request.observations.item_ids)
    return {
        "dropped": dict(linking.dropped) if linking else {},
        "not_calibrated": [item_id for item_id in run.anchors.item_ids if item_id not in observed],
        "malformed": dict(run.anchors.malformed),
        "not_linked": run.reply.not_linked or None,
    }


def flagged_items(reply: CalibrationReply) -> list[dict[str, object]]:
    """Published items that a person should look at, by ascending a, each with all its reasons."""
    a, b = reply.items.parameters["a"], reply.items.parameters["b"]
    se_b = reply.items.se.get("b", np.full(b.size, np.nan))
    ids = reply.items.item_ids.tolist()
    reasons = {
        **{finding: np.isin(ids, names) for finding, names in reply.item_notes.items()},
        f"a below {LOW_A:g}": a < LOW_A,
        f"standard error of b above {HIGH_SE_B:g}": se_b > HIGH_SE_B,
    }
    return [
        {
            "item_id": ids[i],
            "reason": "; ".join(reason for reason, holds in reasons.items() if holds[i]),
            "findings": [finding for finding in reply.item_notes if reasons[finding][i]],
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


def summary(run: CalibrationRun) -> dict[str, object]:
    """Counts and constants, for the summary line and the ledger."""
    linking = run.reply.linking
    return {
        "window": span(run.window),
        "model": run.request.model,
        "n_answers": run.request.observations.n_answers,
        "n_items": int(run.reply.items.item_ids.size),
        "n_users": int(run.reply.abilities.user_ids.size),
        "connected_parts": run.connected_parts,
        "n_published_abilities": int(published_abilities(run).user_ids.size),
        "n_anchors": len(run.request.anchors),
        "linking_constants": linking.constants() if linking else None,
        "excluded_items": run.excluded_items.by_reason(),
        "excluded_users": run.excluded_users.by_reason(),
    }
