"""The only door to HDF5. What comes through it lies inside the file and is what it claims.

HDF5 files can point at other files (external links, external storage, virtual datasets), load
plug-ins (unknown filters) and declare petabytes in a kilobyte. All of that is refused before a
number is read, and every error of the library becomes a `WeightsError` that names the file.
What remains: a damaged file of a user's own can make the library loop. A download cannot, because
its hash is checked first.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from itertools import count
from typing import Any, BinaryIO

import h5py
import numpy as np

from cnnzoo.errors import WeightsError
from cnnzoo.pretrained.readers.tensor import Tensor, aligned

_FLOATS = ("float16", "float32", "float64")
_FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)
_LARGEST_ATTRIBUTE_BYTES = 2**24
_MOST_MEMBERS = 100_000
# What h5py was seen to raise on damaged files; UnicodeDecodeError is a ValueError.
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError)


@contextlib.contextmanager
def opened(file: BinaryIO, name: str) -> Iterator[Hdf5]:
    """Open HDF5 on an open file; its tensors can be read until the block ends."""
    with _damage(name):
        inside = h5py.File(file, "r")
    try:
        yield Hdf5(inside, name)
    finally:
        inside.close()


class Hdf5:
    """A file by its paths. Only hard links are followed, one step at a time."""

    def __init__(self, inside: h5py.File, name: str) -> None:
        self._inside = inside
        self._name = name

    def members(self, path: str) -> list[str]:
        """Names in a group, in alphabetical order; none when there is no such group."""
        with _damage(self._name):
            if not self._exists(path):
                return []
            group = self._find(path, h5py.Group)
            if len(group) > _MOST_MEMBERS:
                raise WeightsError(f"{self._name}: /{path} has {len(group)} members.")
            return [str(member) for member in group]

    def strings(self, path: str, attribute: str) -> list[str] | None:
        """An attribute that lists names; None when there is none.

        Lists above 64 KiB do not fit into one attribute: Keras splits them into
        ``layer_names0``, ``layer_names1``, ...
        """
        with _damage(self._name):
            if not self._exists(path):
                return None
            attributes = self._find(path, h5py.Group).attrs
            if attribute in attributes:
                return self._strings(attributes, attribute)
            found: list[str] | None = None
            for number in count():
                if f"{attribute}{number}" not in attributes:
                    return found
                found = [*(found or []), *self._strings(attributes, f"{attribute}{number}")]
        raise AssertionError("count() never ends")

    def tensor(self, path: str) -> Tensor:
        """The dataset at ``path``, checked, not read.

        Raises:
            WeightsError: It is not there, or it is anything but floats stored in this file.
        """
        with _damage(self._name):
            dataset = self._find(path, h5py.Dataset)
            self._check_storage(dataset, path)

        def read() -> np.ndarray[Any, Any]:
            with _damage(self._name):
                values = aligned(dataset.shape, dataset.dtype)
                if values.size:  # which h5py will not read
                    dataset.read_direct(values)
                return values

        return Tensor(tuple(dataset.shape), dataset.dtype.name, read)

    def _exists(self, path: str) -> bool:
        return not path or path.partition("/")[0] in self._inside

    def _find(self, path: str, kind: type) -> Any:
        here: Any = self._inside
        for step in path.split("/") if path else []:
            link = here.get(step, getlink=True) if isinstance(here, h5py.Group) else None
            if link is None:
                raise WeightsError(f"{self._name} holds nothing at /{path}.")
            if not isinstance(link, h5py.HardLink):
                self._refuse(path, f"a {type(link).__name__}, which can lead out of the file")
            here = here[step]
        if not isinstance(here, kind):
            self._refuse(path, f"a {type(here).__name__} where a {kind.__name__} belongs")
        return here

    def _strings(self, attributes: Any, attribute: str) -> list[str]:
        stored = attributes.get_id(attribute)
        if stored.shape and 0 in stored.shape:  # Keras writes no names as an array of no floats
            return []
        if not isinstance(stored.get_type(), h5py.h5t.TypeStringID):
            self._refuse(attribute, "no list of names")
        many = math.prod(stored.shape or ())
        if max(many, many * stored.get_type().get_size()) > _LARGEST_ATTRIBUTE_BYTES:
            self._refuse(attribute, f"a list of {many} names, which is too long")
        names = np.atleast_1d(attributes[attribute]).ravel().tolist()
        return [name.decode() if isinstance(name, bytes) else str(name) for name in names]

    def _check_storage(self, dataset: h5py.Dataset, path: str) -> None:
        if not isinstance(dataset.id.get_type(), h5py.h5t.TypeFloatID):
            self._refuse(path, "no floating-point numbers")
        if dataset.dtype.name not in _FLOATS:
            self._refuse(path, f"{dataset.dtype}, which is none of {', '.join(_FLOATS)}")
        if dataset.shape is None:
            self._refuse(path, "an empty dataspace")
        plan = dataset.id.get_create_plist()
        layout = plan.get_layout()
        if layout == h5py.h5d.VIRTUAL:
            self._refuse(path, "a virtual dataset, whose numbers lie in other files")
        if plan.get_external_count():
            self._refuse(path, "stored in another file")
        filters = [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]
        if any(code not in _FILTERS for code in filters):
            self._refuse(path, f"packed with filters {filters}; deflate is the one understood")
        declared = math.prod(dataset.shape) * dataset.dtype.itemsize
        if layout != h5py.h5d.CHUNKED and dataset.id.get_storage_size() != declared:
            self._refuse(path, f"declared as {declared} bytes that are not in the file")
        if layout == h5py.h5d.CHUNKED and math.prod(dataset.chunks) > max(
            math.prod(dataset.shape), 2**18
        ):
            self._refuse(path, f"cut into chunks {dataset.chunks} larger than itself")

    def _refuse(self, path: str, what: str) -> None:
        raise WeightsError(f"{self._name}: {path} is {what}. It is not read.")


@contextlib.contextmanager
def _damage(name: str) -> Iterator[None]:
    try:
        yield
    except WeightsError:
        raise
    except _DAMAGE as error:
        raise WeightsError(
            f"{name} is no intact HDF5 file ({type(error).__name__}: {error}). Fetch it again."
        ) from error
