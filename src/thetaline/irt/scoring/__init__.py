"""Scoring: one file a scorer (EAP, MAP, MLE, WLE), on a lattice that suits each person's answers."""

from thetaline.irt.scoring.score import score as score
from thetaline.irt.scoring.value import Scores as Scores
from thetaline.irt.scoring.value import ScoreStatus as ScoreStatus
