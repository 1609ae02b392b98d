"""Comparison with other servers that mock an OpenAPI description; ``benchmarks/compare.py`` runs it."""
