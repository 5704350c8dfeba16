"""Writes the reference: a page for every public module, and one for every public name."""

import inspect
from pathlib import Path

from public_names import Room, rooms
from sphinx.application import Sphinx
from written import write

CLASS_OPTIONS = """   :members:
   :inherited-members: BaseException, Exception, UserWarning, tuple, str, float, int
   :show-inheritance:
"""


def write_reference(app: Sphinx) -> None:
    """Write ``reference/``; what is no longer public has no page any more."""
    folder = Path(app.srcdir) / "reference"
    pages = {}
    index = [
        "Reference", "=========", "",
        "Every public name, written from its docstring. ``import csimodel as csi``.", "",
        ".. toctree::", "   :maxdepth: 1", "",
    ]  # fmt: skip
    for room in rooms():
        page = room.written.replace(".", "-")
        index.append(f"   {page}")
        pages[f"{page}.rst"] = _module_page(room)
        for name in room.names:
            pages[f"{_page(room, name)}.rst"] = _name_page(room, name)
        for kind in room.results:
            pages[f"{kind.__module__}.{kind.__qualname__}.rst"] = _result_page(kind)
    pages["index.rst"] = "\n".join([*index, ""])
    write(folder, pages)


def _page(room: Room, name: str) -> str:
    return f"{room.module.__name__}.{name}"


def _module_page(room: Room) -> str:
    module = room.module.__name__
    lines = [
        room.written, "=" * len(room.written), "",
        f".. automodule:: {module}", "   :no-index:" if module == "csimodel" else "", "",
        f".. currentmodule:: {module}", "",
    ]  # fmt: skip
    if room.names:
        lines += [".. autosummary::", "   :nosignatures:", ""]
        lines += [f"   {name}" for name in room.names] + [""]
    else:
        lines += ["Its functions stand at the top: :doc:`csi`.", ""]
    pages = [_page(room, name) for name in room.names]
    if room.results:
        paths = [f"{kind.__module__}.{kind.__qualname__}" for kind in room.results]
        lines += ["Results", "-------", "", ".. currentmodule:: None", ""]
        lines += [".. autosummary::", "   :nosignatures:", ""]
        lines += [f"   ~{path}" for path in paths] + [""]
        pages += paths
    if pages:
        lines += [".. toctree::", "   :hidden:", ""] + [f"   {page}" for page in pages] + [""]
    return "\n".join(lines)


def _name_page(room: Room, name: str) -> str:
    value = getattr(room.module, name)
    title = f"{room.written}.{name}"
    head = f"{title}\n{'=' * len(title)}\n\n.. currentmodule:: {room.module.__name__}\n\n"
    if inspect.isclass(value):
        return f"{head}.. autoclass:: {name}\n{CLASS_OPTIONS}"
    kind = "autofunction" if inspect.isfunction(value) else "autodata"
    return f"{head}.. {kind}:: {name}\n"


def _result_page(kind: type) -> str:
    title = kind.__qualname__
    head = f"{title}\n{'=' * len(title)}\n\n.. currentmodule:: {kind.__module__}\n\n"
    return f"{head}.. autoclass:: {title}\n{CLASS_OPTIONS}"


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before anything is read."""
    app.connect("builder-inited", write_reference)
    return {"parallel_read_safe": True}
