"""Logs and metrics. It only listens: nothing here decides anything about a call."""

from modules.metrics_logger.logging import configure, get_logger

__all__ = ["configure", "get_logger"]
