"""Names written as users write them, ``csi.fit(model, survey)``, lead to the reference."""

import re
from typing import Any

from docutils import nodes
from public_names import rooms
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

NAME = re.compile(r"csi(?:\.[A-Za-z_]\w*)+")


def targets() -> dict[str, str]:
    """Return where every public name is documented, by what users write."""
    names = {f"{room.written}.{name}": f"{room.module.__name__}.{name}" for room in rooms()
             for name in room.names}  # fmt: skip
    return names | {room.written: room.module.__name__ for room in rooms() if room.names}


class Links(SphinxTransform):
    """Makes links of code that begins with a public name, in pages and docstrings."""

    default_priority = 5  # before references are looked up

    def apply(self, **_: Any) -> None:
        """Wrap them."""
        known = self.env.config.csi_names
        for node in list(self.document.findall(pending_xref)):
            written = node.get("reftarget", "")
            if node.get("refdomain") == "py" and written in known:
                node["reftarget"] = known[written]
        for node in list(self.document.findall(nodes.literal)):
            match = NAME.match(node.astext())
            if match and match[0] in known and not _within_link(node):
                link = pending_xref(
                    "", refdomain="py", reftype="obj", reftarget=known[match[0]],
                    refdoc=self.env.docname, refexplicit=True, refwarn=False,
                )  # fmt: skip
                node.replace_self(link)
                link += node


def _within_link(node: nodes.Node) -> bool:
    parent = node.parent
    return isinstance(parent, pending_xref | nodes.reference)


def setup(app: Sphinx) -> dict[str, bool]:
    """Look the names up once."""
    app.add_config_value("csi_names", targets(), "env", types=[dict])
    app.add_transform(Links)
    return {"parallel_read_safe": True}
