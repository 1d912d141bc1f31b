"""Scoring: one file a scorer (EAP, MAP, MLE, WLE), on nodes that suit each person's answers."""

from thetaline.irt.scoring.plausible_values import plausible_values as plausible_values
from thetaline.irt.scoring.result import Scores as Scores, ScoreStatus as ScoreStatus
from thetaline.irt.scoring.score import score as score
from thetaline.irt.scoring.sum_score_eap import SumScoreTable as SumScoreTable, sum_score_eap as sum_score_eap
