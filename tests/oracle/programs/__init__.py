"""Client programs, by what they are about. Importing this makes all of them known to the registry."""

from tests.oracle.programs import (  # noqa: F401 - for what it does to the registry
    admin,
    administering,
    altering,
    commits,
    compressed,
    fetching,
    groups,
    lookups,
    malformed,
    producing,
    three,
    transactions,
    versions,
)
