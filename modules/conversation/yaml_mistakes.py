"""Moved to modules/strict_yaml/mistakes.py."""

from modules.strict_yaml.mistakes import mistakes, near

__all__ = ["mistakes", "near"]
