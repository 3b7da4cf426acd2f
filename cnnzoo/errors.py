"""Every error cnnzoo raises on purpose, one tree, one exit code per branch.

```text
CnnZooError                                           1
├── UsageError             (ValueError)               2  an argument that cannot work
│   ├── UnknownNameError   (LookupError)              2  a name no table holds
│   └── UnknownOptionError (TypeError)                2  an option this network does not have
├── MissingExtraError      (ImportError)              2  an optional package is not installed
├── CatalogueError         (ValueError)               2  a catalogue file against its schema
├── DownloadError          (OSError)                  3  nothing usable came over the network
│   └── OfflineError                                  3  a file is absent, the network forbidden
├── IntegrityError                                    4  a file is not the file it should be
├── DataError              (ValueError)               5  images or labels that cannot be used
├── WeightsError           (ValueError)               6  weights that do not fit the network
├── StorageError           (OSError)                  7  disk, permission, cache or lock
│   └── RunLockedError                                7  another process trains in this folder
├── TrainingError                                     8  a run that cannot go on
│   └── CheckpointError                               8  a run that cannot be taken up again
└── InterruptedRun                              130/143  stopped by Ctrl-C or a signal, saved
```

A message says, in this order: what was received, what is wrong, what would work (the nearest
name, the allowed values, the command to type), and where.
"""

from __future__ import annotations


class CnnZooError(Exception):
    """Base of every error raised on purpose; ``except cnnzoo.CnnZooError`` catches them all."""

    exit_code = 1


class UsageError(CnnZooError, ValueError):
    """An argument that cannot work. Nothing was built, downloaded or written."""

    exit_code = 2


class UnknownNameError(UsageError, LookupError):
    """A name that no table holds."""


class UnknownOptionError(UsageError, TypeError):
    """An option that this network does not declare."""


class MissingExtraError(CnnZooError, ImportError):
    """An optional package is needed and not installed."""

    exit_code = 2


class CatalogueError(CnnZooError, ValueError):
    """A catalogue file that breaks its schema; names the file, the entry and the field."""

    exit_code = 2


class DownloadError(CnnZooError, OSError):
    """Nothing usable came over the network."""

    exit_code = 3


class OfflineError(DownloadError):
    """A file is absent and the network is forbidden; says which file to put where."""


class IntegrityError(CnnZooError):
    """A file whose size or hash is not the recorded one."""

    exit_code = 4


class DataError(CnnZooError, ValueError):
    """Images or labels that cannot be used; names the file."""

    exit_code = 5


class WeightsError(CnnZooError, ValueError):
    """Weights that do not fit the network; the network is left as it was."""

    exit_code = 6


class StorageError(CnnZooError, OSError):
    """The disk is full, a folder cannot be written, a lock cannot be had."""

    exit_code = 7


class RunLockedError(StorageError):
    """Another process trains in this folder; names it."""


class TrainingError(CnnZooError):
    """A run that cannot go on: the loss is no number, the memory is full."""

    exit_code = 8


class CheckpointError(TrainingError):
    """A run that cannot be taken up again: nothing intact, or other settings than before."""


class InterruptedRun(CnnZooError):
    """Stopped by a signal after the state was saved; says how to go on.

    Attributes:
        exit_code: 130 after Ctrl-C (SIGINT), 143 after SIGTERM, as shells count.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number
