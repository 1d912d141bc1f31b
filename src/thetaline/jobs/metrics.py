"""The contract's name of `jobs.kpis.learner_kpis`."""

from thetaline.jobs.kpis.learner_kpis import compute_improvement_index as compute_improvement_index
