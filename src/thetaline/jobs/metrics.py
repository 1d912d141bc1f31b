"""The contract's name of `jobs.kpis.indicators`."""

from thetaline.jobs.kpis.indicators import compute_improvement_index as compute_improvement_index
