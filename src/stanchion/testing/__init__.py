"""Tools for testing without waiting: a queue simulated in virtual time, with policies, loads and what to measure."""

from __future__ import annotations

from stanchion.testing.load import Request, Sort, Tenant, Turn, bursts, requests, restless, steady
from stanchion.testing.measures import Waits, jain, most_overtaken, shares, waits, weighted_jain
from stanchion.testing.policies import affine, fair, fifo, round_robin
from stanchion.testing.simulator import Head, Policy, Report, Served, Simulation, Worker, simulate

__all__ = [
    "Head",
    "Policy",
    "Report",
    "Request",
    "Served",
    "Simulation",
    "Sort",
    "Tenant",
    "Turn",
    "Waits",
    "Worker",
    "affine",
    "bursts",
    "fair",
    "fifo",
    "jain",
    "most_overtaken",
    "requests",
    "restless",
    "round_robin",
    "shares",
    "simulate",
    "steady",
    "waits",
    "weighted_jain",
]
