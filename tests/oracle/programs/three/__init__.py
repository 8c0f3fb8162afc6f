"""Programs for three brokers, by what they are about."""

from tests.oracle.programs.three import (  # noqa: F401 - for what it does to the registry
    administering,
    coordinators,
    leaders,
    replication,
)
