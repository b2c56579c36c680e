"""Monitors: what tells, while it runs, whether a training goes well."""

from ganprior.training.monitors.health import Health
from ganprior.training.monitors.monitor import Monitor, Snapshot

__all__ = ["Health", "Monitor", "Snapshot"]
