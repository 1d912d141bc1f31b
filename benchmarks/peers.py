"""Processor time against the PyPI packages mirt and girth, same answers, 61 nodes for them: engine yardsticks 7 and 8.

python -m benchmarks.peers: needs the dependency group `bench`.  Also prints both log-likelihoods, evaluated alike.
"""

import girth
import mirt
import numpy as np

from benchmarks.simulated import complete, sparse
from benchmarks.yardstick import Time, once, report
from thetaline import irt
from thetaline.irt.grid import normal_log_weights

GRID = irt.Grid(121, -6.0, 6.0)


def likelihood(responses: irt.Responses, items: irt.Items) -> float:
    """Marginal log-likelihood of a bank under N(0, 1), on one grid for all."""
    table, total = items.log_prob(GRID.nodes), 0.0
    prior = normal_log_weights(GRID.nodes, 0.0, 1.0)
    codes = items.offsets[responses.item] + responses.answer
    for rows in np.array_split(np.arange(responses.n_persons), 40):
        low, high = responses.indptr[rows[0]], responses.indptr[rows[-1] + 1]
        starts = responses.indptr[rows] - low
        joint = np.add.reduceat(table[codes[low:high]], starts, axis=0) + prior
        total += float(np.logaddexp.reduce(joint, axis=1).sum())
    return total


def compare(title: str, responses: irt.Responses, x: np.ndarray) -> None:
    ours, fit = once(lambda: irt.calibrate(responses))
    errors, _ = once(fit.standard_errors)
    print(f"{title}: our log-likelihood {likelihood(responses, fit.items):.2f}")
    for with_errors, reach in ((False, "≤ 0.20"), (True, "≤ 0.125")):
        options = {"n_quadpts": 61, "compute_standard_errors": with_errors}
        theirs, peer = once(lambda options=options: mirt.fit_mirt(x, model="2PL", **options))
        taken = Time(ours.wall + errors.wall, ours.cpu + errors.cpu) if with_errors else ours
        what = f"  {'with' if with_errors else 'without'} standard errors, against mirt {mirt.__version__}"
        report(what, taken, theirs, reach)
        value = likelihood(responses, peer_items(responses, peer))
        print(f"    mirt: log-likelihood {value:.2f}, converged {peer.converged}")


def peer_items(responses: irt.Responses, peer: object) -> irt.Items:
    parameters = peer.model.parameters
    a = np.asarray(parameters["discrimination"]).ravel()
    return irt.Items(ids=responses.item_ids, a=a, b=np.asarray(parameters["difficulty"]).ravel())


def compare_girth(responses: irt.Responses, x: np.ndarray) -> None:
    ours, _ = once(lambda: irt.calibrate(responses))
    theirs, _ = once(lambda: girth.twopl_mml(x.T))
    report("  without standard errors, against girth 0.8", ours, theirs, "—")


def main() -> None:
    x = complete(20_000, 100)
    responses = irt.Responses.from_matrix(x)
    irt.calibrate(irt.Responses.from_matrix(x[:500]))  # imports and caches are warm for all
    compare("20,000 × 100 complete", responses, x.astype(int))
    compare_girth(responses, x.astype(int))
    long = sparse(20_000, 1_000, 40)
    wide = np.full((20_000, 1_000), -1)
    wide[long.user, long.item] = long.correct
    compare("20,000 × 1,000 × 40 sparse", long.responses(), wide)


if __name__ == "__main__":
    main()
