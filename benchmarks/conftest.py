"""Settings for all benchmarks."""

import os

# Must be set before numpy is imported. The matrices are small: on a busy machine, threads waiting
# for each other take many times as long as a single thread.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
