"""Compiles the catalogues of messages into the wheel."""

import tempfile
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogueHook(BuildHookInterface):
    """Puts ``csimodel.mo`` into the wheel where the source has ``csimodel.po``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile each catalogue; an editable install reads the source itself."""
        if version == "editable":
            return
        root = Path(self.root)
        self.folder = tempfile.TemporaryDirectory()
        for source in sorted((root / "csimodel" / "language").rglob("*.po")):
            place = source.relative_to(root).with_suffix(".mo")
            compiled = Path(self.folder.name) / place.as_posix().replace("/", "-")
            with source.open("rb") as file, compiled.open("wb") as out:
                write_mo(out, read_po(file))
            build_data["force_include"][str(compiled)] = place.as_posix()

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was compiled."""
        if version != "editable":
            self.folder.cleanup()
