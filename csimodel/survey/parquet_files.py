"""Parquet files, looked at before they are read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from csimodel import limits
from csimodel.errors import SurveyError
from csimodel.quiet import quiet
from csimodel.survey.headers import require_names, require_unique
from csimodel.survey.table import Table


def read_parquet(path: Path) -> Table:
    """Read a Parquet file.

    Raises
    ------
    SurveyError
        When it is damaged or too large.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with quiet(), parquet.ParquetFile(path) as file:
            names = file.schema_arrow.names
            require_names(names, path.name)
            require_unique(names, path.name)
            rows = file.metadata.num_rows
            if rows < 0 or rows * len(names) > limits.CELLS:
                raise SurveyError(
                    f"The file {path.name!r} says that it holds {rows:,} rows of {len(names):,} "
                    f"columns, and at most {limits.CELLS:,} cells are read; it may be damaged."
                )
            frame: pd.DataFrame = file.read().to_pandas()
    except SurveyError:
        raise
    except (
        pa.ArrowException, OSError, ValueError, TypeError, KeyError, IndexError, OverflowError,
        MemoryError, AttributeError, NotImplementedError,
    ) as error:  # fmt: skip
        raise SurveyError(
            f"The file {path.name!r} cannot be read as a Parquet file; it may be damaged or "
            "misnamed."
        ) from error
    return Table(frame, path.name)
