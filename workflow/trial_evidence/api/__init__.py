"""Meta-analysis, network meta-analysis and figures from your own data frame, without a project.

``docs/api.md`` has worked examples. The libraries for computing and drawing are imported when first
needed, because importing them takes seconds.
"""

from trial_evidence.api.charts import forest_plot, funnel_plot, save_chart
from trial_evidence.api.frames import DataError
from trial_evidence.api.networks import FittedNetwork, network
from trial_evidence.api.pools import PooledTrials, pool

__all__ = [
    "DataError",
    "FittedNetwork",
    "PooledTrials",
    "forest_plot",
    "funnel_plot",
    "network",
    "pool",
    "save_chart",
]
