"""``python -m playground``: see ``playground.cli``."""

import sys

from playground.cli import main
from playground.training.processes import end_if_one_of_several

if __name__ == "__main__":
    code = main()
    end_if_one_of_several(code)
    sys.exit(code)
