# Asks again what data/runs holds of this scenario. Run by `make record`.
set -e
evaluate() { time "$PYTHON" -m playground evaluate contract_clauses --clauses 5 "$@"; }

rm -rf data/runs/contract_clauses-*
evaluate --adapter own-clauses,smollm2-clauses --out data/runs/contract_clauses-techniques \
  --strategies lora,language-model-lora,keywords,tfidf,frozen,nearest,zero-shot,few-shot,few-shot-nearest,chain-of-thought
evaluate --strategies lora --adapter cuad-mpnet --out data/runs/contract_clauses-cuad-mpnet
evaluate --strategies lora --adapter cuad-minilm --out data/runs/contract_clauses-cuad-minilm

# The article's limits.
rm -rf data/runs/limits/garbage-in data/runs/limits/continuous-tuning
time "$PYTHON" -m playground limits garbage-in --out data/runs/limits/garbage-in
time "$PYTHON" -m playground limits continuous-tuning --out data/runs/limits/continuous-tuning
