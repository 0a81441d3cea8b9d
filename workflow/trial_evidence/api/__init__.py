"""Meta-analysis of a data frame of one's own: pooled, as a network, drawn; no project is needed.

``docs/api.md`` has worked examples. The libraries that compute and draw are imported when they are
first needed, because they take seconds to import.
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
