# Asks again what data/runs holds of this scenario, and the questions kept aside. Run by `make record`.
set -e
evaluate() { time "$PYTHON" -m playground evaluate return_policy "$@"; }

rm -rf data/runs/return_policy-*
evaluate --limit 60 --out data/runs/return_policy-techniques --json \
  --strategies no-text,whole-document,rag,rag+few-shot,rag+cot,closed-book-lora,rag+lora \
  > docs/evaluation/return_policy-techniques.json
evaluate --strategies rag,rag+lora --out data/runs/return_policy-rag --json > docs/evaluation/return_policy-rag.json

rm -rf runs/kept-aside
evaluate --strategies rag,rag+lora --out runs/kept-aside --json \
  --questions scenarios/return_policy/questions_kept_aside.jsonl --policies data/policies_kept_aside \
  > docs/evaluation/return_policy-kept-aside.json

time "$PYTHON" scripts/measure_stale_facts.py --again
