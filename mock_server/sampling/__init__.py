"""A valid, realistic and repeatable value for any JSON Schema."""

from mock_server.sampling.minting import Mint, mint
from mock_server.sampling.sampler import Sampler, sample
from mock_server.sampling.unsampleable import Unsampleable

__all__ = ["Mint", "Sampler", "Unsampleable", "mint", "sample"]
