"""Models as bytes: named arrays (npy in a zip, no pickle) and their card as canonical JSON.

Read only what was verified before: the caller checks the signature over these very bytes. Even
so nothing here executes what it reads, and sizes are bounded.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from detectors.core.anomaly.counts import Counts
from detectors.core.anomaly.forest import forest_of_arrays
from detectors.core.anomaly.login_model import LoginModel, Scorer
from detectors.core.anomaly.ranks import Ranks
from detectors.errors import ModelRejected

Arrays = Mapping[str, NDArray[Any]]
MAX_MODEL: Final = 512 * 1024 * 1024
FORMAT: Final = 1


def pack(arrays: Arrays) -> bytes:
    """Return ``arrays`` as bytes; the same arrays give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(arrays[name]), allow_pickle=False)
            # ZipInfo's own date: 1980, whatever the clock says
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())
    return stream.getvalue()


def unpack(content: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays; raise ``ModelRejected`` for what ``pack`` did not write."""
    found: dict[str, NDArray[Any]] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_MODEL:
                raise ModelRejected("the model is too large")
            for entry in archive.infolist():
                stream = io.BytesIO(archive.read(entry))
                name = entry.filename.removesuffix(".npy")
                found[name] = np.lib.format.read_array(stream, allow_pickle=False)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError) as error:
        raise ModelRejected("the model can't be read") from error
    return found


def pack_login(model: LoginModel, reference: Arrays) -> bytes:
    """Return a model of sign-ins with the columns its drift is held against."""
    scorer = model.scorer
    return pack(
        {
            "format": np.array([FORMAT]),
            "keys": model.counts.keys,
            "values": model.counts.values,
            "scores": scorer.scores.points,
            "isolations": scorer.isolations.points,
            "means": scorer.means.points,
            **{f"forest.{name}": array for name, array in scorer.forest.arrays().items()},
            **{f"reference.{name}": array for name, array in reference.items()},
        }
    )


def unpack_login(content: bytes) -> tuple[LoginModel, dict[str, NDArray[np.float64]]]:
    """Return what ``pack_login`` wrote; raise ``ModelRejected``."""
    arrays = unpack(content)
    try:
        if int(arrays["format"][0]) != FORMAT:
            raise ModelRejected("the model is of another format")
        counts = Counts(arrays["keys"].astype(np.uint64), arrays["values"].astype(np.float64))
        points = [arrays[name].astype(np.float64) for name in ("scores", "isolations", "means")]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise ModelRejected("the model is incomplete") from error
    if len(counts.keys) != len(counts.values) or not all(len(each) for each in points):
        raise ModelRejected("the model's arrays don't fit together")
    forest = forest_of_arrays(_under("forest.", arrays))
    scorer = Scorer(forest, *(Ranks(each) for each in points))
    return LoginModel(counts, scorer), _under("reference.", arrays)


def _under(prefix: str, arrays: Arrays) -> dict[str, NDArray[Any]]:
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }
