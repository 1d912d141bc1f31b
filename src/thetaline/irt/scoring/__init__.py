"""Scoring: one file a scorer (EAP, MAP, MLE, WLE), on a lattice that suits each person's answers."""

from thetaline.irt.scoring.plausible import plausible_values as plausible_values
from thetaline.irt.scoring.score import score as score
from thetaline.irt.scoring.sum_scores import SumScoreTable as SumScoreTable, sum_score_eap as sum_score_eap
from thetaline.irt.scoring.value import Scores as Scores, ScoreStatus as ScoreStatus
