"""``python -m trial_evidence <stage>``."""

from trial_evidence.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
