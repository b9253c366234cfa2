"""Fixtures of the suites that need a Redis: each server and sentinel ends with its test."""

import pytest

from fake_sentinel import FakeSentinel
from redis_process import Redis


def disposed(kind):
    """A function that makes as many as are asked for; all are disposed of at the end."""
    made = []

    def make(*arguments, **how):
        made.append(kind(*arguments, **how))
        return made[-1]

    yield make
    for each in made:
        each.dispose()


@pytest.fixture
def start_redis():
    """start_redis(option, …)"""
    yield from disposed(Redis)


@pytest.fixture
def start_sentinel():
    """start_sentinel(redis): says to its relays that this is the master."""
    yield from disposed(FakeSentinel)
