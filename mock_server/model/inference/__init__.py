"""What an API means, read off its description alone: paths, schemas and parameter names."""

from mock_server.model.inference.infer import Inference

__all__ = ["Inference"]
