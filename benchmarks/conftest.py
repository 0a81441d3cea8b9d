"""What holds for every benchmark."""

import os

# Before numpy is loaded. Matrices here are small: threads that wait for one another on a machine
# with other work take many times as long as one thread.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
