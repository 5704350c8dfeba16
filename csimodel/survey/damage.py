"""What programs that read files raise on bytes they did not expect."""

from __future__ import annotations

import struct
import zlib
from zipfile import BadZipFile

DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, BadZipFile, EOFError, LookupError,
    RuntimeError, SyntaxError, TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
"""Those of zip files, JSON, XML and tables in them (SyntaxError: bad XML); not that memory ends."""
