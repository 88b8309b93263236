"""Moved to modules/strict_yaml."""

from modules.strict_yaml import YamlError, model_of, read_strict

__all__ = ["YamlError", "model_of", "read_strict"]
