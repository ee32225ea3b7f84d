"""The build hook of wheels: the engine's bitcode, so that users need no Numba to run it.

An editable install finds it beside the sources, and the lowered functions that it was linked of, so that after an edit
only what depends on it is lowered. Where it cannot be made, as without Numba, the package is built
without it and lowers its sources on first use.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PLACE = "hiermod/engine/build/engine.bitcode"


class EngineHook(BuildHookInterface):
    """Lowers the kernels before a wheel is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the bitcode; the version is "standard" or "editable"."""
        sys.path.insert(0, self.root)
        from hiermod.engine.build import bitcode, front_end

        if version == "editable":
            try:
                bitcode.shipped()
                return
            except bitcode.UnfitError:
                pass
        self.app.display_waiting("lowering the engine's kernels…")
        try:
            made, parts = front_end.lowered()
        except bitcode.UnfitError as error:
            self.app.display_warning(f"{PLACE} is left out, and made on first use: {error}")
            return
        if version == "editable":
            from hiermod.engine.build.compile import parts_beside

            bitcode.SHIPPED.write_bytes(made.packed())
            parts_beside().write_bytes(parts)
        else:
            file = Path(tempfile.mkdtemp(prefix="hiermod-build-")) / "bitcode"
            file.write_bytes(made.packed())
            build_data["force_include"][str(file)] = PLACE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Clear away what was put into the wheel."""
        for file, place in build_data["force_include"].items():
            if place == PLACE:
                Path(file).unlink()
                Path(file).parent.rmdir()
