# Asks again what data/runs holds of this scenario, and the questions kept aside. Run by `make record`.
set -e
evaluate() { time "$PYTHON" -m playground evaluate return_policy "$@"; }

rm -rf data/runs/return_policy-*
evaluate --limit 60 --out data/runs/return_policy-techniques --json \
  --strategies no-text,whole-document,rag,rag+few-shot,rag+cot,closed-book-lora,rag+lora \
  > docs/evaluation/return_policy-techniques.json
evaluate --strategies rag,rag+lora --out data/runs/return_policy-rag --json > docs/evaluation/return_policy-rag.json

for size in small medium; do
  rm -rf "runs/kept-aside-$size" "runs/caution-$size"
  named=$([ "$size" = small ] || echo "-$size")
  evaluate --strategies rag,rag+lora --model "$size" --out "runs/kept-aside-$size" --json \
    --questions scenarios/return_policy/questions_kept_aside.jsonl --policies data/policies_kept_aside \
    > "docs/evaluation/return_policy-kept-aside$named.json"
  # It never abstains by itself there: one run tells what every level of caution does.
  evaluate --strategies rag+lora --model "$size" --abstain-at 1.01 --out "runs/caution-$size" \
    --questions scenarios/return_policy/questions_kept_aside.jsonl --policies data/policies_kept_aside
  time "$PYTHON" scripts/measure_caution.py "runs/caution-$size"
done

time "$PYTHON" scripts/measure_stale_facts.py --again

# The article's limits. What answers is deterministic; seconds are those of the machine, so nothing else should run.
limits() { time "$PYTHON" -m playground limits "$@"; }
rm -rf data/runs/limits/token-limit data/runs/limits/lost-in-the-middle data/runs/limits/fragile-prompts \
  data/runs/limits/edge data/runs/limits/model-size
for experiment in token-limit lost-in-the-middle fragile-prompts edge; do
  limits "$experiment" --out "data/runs/limits/$experiment"
done
for size in medium large; do
  limits model-size --model "$size" --conditions "no-text; rag; rag+few-shot" --out data/runs/limits/model-size
done
