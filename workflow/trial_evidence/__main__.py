"""``python -m trial_evidence <stage>``."""

import sys

from trial_evidence.standby import ask, collect_seldom, print_what_fits

if __name__ == "__main__":
    collect_seldom()
    print_what_fits()
    code = ask(sys.argv[1:])
    if code is None:
        from trial_evidence.cli import main

        code = main()
    raise SystemExit(code)
