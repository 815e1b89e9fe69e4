"""Ask everything that the app suggests and shows of the model that answers by default, and say what does not hold.

    python scripts/check_demo.py
    python scripts/check_demo.py --model medium

Exit code 1 where something fails: it must not be suggested, or the demo must say something else.
"""

from __future__ import annotations

import argparse
import sys
from itertools import chain

from playground.adapters import branch_loader, reader_adapter
from playground.models.bundled import ensure_minilm
from playground.models.embedding import load_embedder
from playground.models.sources import ModelChoice, choice_from, load_chat_model
from playground.text.terminal import one_line
from scenarios.return_policy.demo import check_steps, check_suggestions
from scenarios.return_policy.scenario import adapter_store


def main() -> int:
    """Print a line for each question, and how many did not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=choice_from, default=ModelChoice(), help="as of `playground ask`")
    choice, store = parser.parse_args().model, adapter_store()
    adapter = reader_adapter(store, None, choice).identity
    model = load_chat_model(choice, load_adapter=branch_loader(store, choice))
    embedder = load_embedder(ensure_minilm())
    asked = failed = 0
    for one in chain(check_steps(model, embedder, adapter), check_suggestions(model, embedder, adapter)):
        asked += 1
        failed += bool(one.problem)
        mark = f"FAILS  {one.problem}" if one.problem else "holds"
        print(one_line(f"{one.where}: {one.expected.question} -> {one.answer[:160]}  [{mark}]"), flush=True)
    print(f"{asked} questions to {model.model_id} with {adapter}: {asked - failed} hold, {failed} fail.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
