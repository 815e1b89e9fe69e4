"""Serve a GGUF file with llama.cpp's own HTTP server on an ephemeral loopback port, until standard input ends.

    python tests/support/serve_gguf.py MODEL.gguf KEY [ADAPTER.gguf]

The first line on standard output is the address.
"""

from __future__ import annotations

import sys

import xllamacpp


def main() -> None:
    params = xllamacpp.CommonParams()
    params.model.path = sys.argv[1]
    params.model_alias = {"smollm2"}
    params.n_ctx = 2048
    params.n_parallel = 1  # so that a request waits if the one before it was not really cancelled
    params.cpuparams.n_threads = 2
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [sys.argv[2]]
    params.endpoint_slots = True
    params.ui = False
    if sys.argv[3:]:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(sys.argv[3], 1.0)]
        params.model_alias = {"with-adapter"}
        params.cpuparams.n_threads = 1  # two wait for each other, which on a busy machine takes minutes
        params.cache_ram_mib = 0  # what was computed under another scale must not be reused
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
