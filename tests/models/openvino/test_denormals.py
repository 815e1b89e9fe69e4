import pytest

pytestmark = pytest.mark.models


def test_numbers_near_zero_are_numbers_again_after_the_block_even_when_it_fails() -> None:
    import torch

    from playground.training.number_formats import flushed_denormals

    smallest = torch.tensor([1e-40])
    with pytest.raises(RuntimeError), flushed_denormals():
        flushed = float(smallest * 1.0)
        raise RuntimeError
    assert flushed == 0.0
    assert float(smallest * 1.0) > 0.0
