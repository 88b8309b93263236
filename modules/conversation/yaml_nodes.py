"""Moved to modules/strict_yaml/nodes.py."""

from modules.strict_yaml.nodes import YamlError, entry, parse, plain, walk

__all__ = ["YamlError", "entry", "parse", "plain", "walk"]
