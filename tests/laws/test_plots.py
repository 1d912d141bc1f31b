"""Plots are figures that can be shown and held, they draw what the values say, and they cost nothing until drawn."""

import subprocess
import sys

import numpy as np
import pytest
from banks import bank, jittered

from thetaline import irt
from thetaline.errors import InputError

matplotlib = pytest.importorskip("matplotlib")


def lines(panel: object) -> list[np.ndarray]:
    return [line.get_ydata() for line in panel.get_lines()]


def test_importing_the_library_does_not_import_matplotlib() -> None:
    code = "import sys, thetaline.irt as irt; irt.plot.icc; print('matplotlib' in sys.modules, 'pandas' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]


def test_icc_draws_and_names_the_curve_of_every_item() -> None:
    items = bank("3PL", n=6)
    figure = irt.plot.icc(items, theta=[-1.0, 0.0, 1.0])
    drawn = [y for y in lines(figure.axes[0]) if len(y) == 3]
    np.testing.assert_allclose(drawn, items.expected_score([-1.0, 0.0, 1.0]))
    assert [text.get_text() for text in figure.axes[0].texts] == list(items.ids)


def test_names_of_curves_that_end_together_stand_apart() -> None:
    alike = irt.Items(ids=["x", "y", "z"], model="2PL", a=np.ones(3), b=[0.0, 0.001, 0.002])
    panel = irt.plot.icc(alike).axes[0]
    heights = np.sort([text.get_position()[1] for text in panel.texts])
    assert np.diff(heights) == pytest.approx(0.055, rel=0.01)  # of an axis of 1: the height of a letter
    assert heights[-1] <= 1.0


def test_icc_of_many_items_colours_them_by_difficulty() -> None:
    figure = irt.plot.icc(bank("2PL", n=30))
    assert len(lines(figure.axes[0])) == 30
    assert len({line.get_color() for line in figure.axes[0].get_lines()}) > 20


def test_icc_of_polytomous_items_has_a_panel_an_item_and_a_line_a_category() -> None:
    items = bank("GRM", n=4)
    figure = irt.plot.icc(items, ["i2", "i0"])
    shown = [panel for panel in figure.axes if panel.get_visible()]
    assert [panel.get_title(loc="left") for panel in shown] == ["i2", "i0"]
    np.testing.assert_allclose(np.sum(lines(shown[0]), axis=0), 1.0)


def test_tif_draws_information_and_standard_error() -> None:
    items = bank("GPCM")
    figure = irt.plot.tif(items, theta=[-1.0, 0.0, 1.0])
    left, right = figure.axes
    np.testing.assert_allclose(lines(left)[0], items.information([-1.0, 0.0, 1.0]).sum(axis=0))
    np.testing.assert_allclose(lines(right)[0], irt.information(items, [-1.0, 0.0, 1.0]).se)


@pytest.mark.parametrize("n", [12, 80])
def test_wright_map_counts_every_person_and_shows_every_item(n: int) -> None:
    items = bank("2PL", n=n)
    theta = np.append(np.random.default_rng(1).normal(size=300), [np.inf, -np.inf])
    persons, shown = irt.plot.wright_map(items, theta).axes
    assert sum(patch.get_width() for patch in persons.patches) == pytest.approx(300)
    assert "2 without a finite score" in persons.get_xlabel()
    assert len(lines(shown)[0]) == n


@pytest.mark.parametrize(("n_steps", "names"), [(1, ["q"]), (2, ["q.1", "q.2"]), (3, ["q.1", "q.2", "q.3"])])
def test_wright_map_names_the_steps_of_items_that_have_several(n_steps: int, names: list[str]) -> None:
    b = np.linspace(-1.0, 1.0, n_steps + 1)[None, :n_steps]
    _, shown = irt.plot.wright_map(irt.Items(ids=["q"], model="GPCM", a=[1.0], b=b), np.zeros(3)).axes
    assert [text.get_text() for text in shown.texts] == names


def test_wright_map_counts_patterns_as_the_persons_that_they_stand_for() -> None:
    items = bank("2PL", n=3)
    patterns = irt.Responses.from_matrix([[0, 0, 0], [1, 0, 1], [1, 1, 1]], items=items.ids, counts=[50, 7, 20])
    persons, _ = irt.plot.wright_map(items, irt.score(patterns, items)).axes
    assert sum(patch.get_width() for patch in persons.patches) == pytest.approx(77)


def test_linking_marks_the_dropped_anchors_and_says_the_constants() -> None:
    new = bank("2PL", n=20)
    b = new.b.copy()
    b[4] += 2.0
    link = irt.link(new=new, reference=jittered(irt.Items(ids=new.ids, a=new.a, b=b)).rescaled(1.3, 0.6))
    figure = irt.plot.linking(link)
    assert f"A = {link.A:.3f}" in figure.get_suptitle()
    assert set(link.dropped) == {text.get_text() for text in figure.axes[1].texts}
    assert "i4" in link.dropped
    with pytest.raises(InputError, match="no diagnostics to draw"):
        irt.plot.linking(link.inverse())


def test_residuals_draw_bins_around_the_curve_of_a_fitting_item() -> None:
    items, rng = bank("2PL", n=30), np.random.default_rng(2)
    responses = irt.simulate(items, rng.normal(size=2000), rng)
    figure = irt.plot.residuals(items, responses, irt.score(responses, items), ["i5", "i9"])
    panel = figure.axes[0]
    bins = panel.containers[0].lines[0]
    gap = bins.get_ydata() - items.take(["i5"]).expected_score(bins.get_xdata())[0]
    assert len(gap) == 10
    assert np.abs(gap).max() < 0.06


def test_item_fit_lists_the_items_by_infit() -> None:
    items, rng = bank("2PL", n=12), np.random.default_rng(3)
    responses = irt.simulate(items, rng.normal(size=500), rng)
    fit = irt.item_fit(irt.calibrate(responses), responses)
    panel = irt.plot.item_fit(fit).axes[0]
    assert [text.get_text() for text in panel.get_yticklabels()] == list(fit.ids[np.argsort(fit.infit)])


def test_figures_show_in_a_notebook_and_fit_into_a_file(tmp_path: object) -> None:
    figure = irt.plot.tif(bank("2PL"))
    assert figure._repr_png_().startswith(b"\x89PNG")
    figure.savefig(tmp_path / "tif.svg")
    assert (tmp_path / "tif.svg").read_text().startswith("<?xml")
