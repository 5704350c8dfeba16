"""Make the site, in English and Chinese: ``python docs/build.py [FOLDER]``.

Any warning is an error: a link that leads nowhere, a docstring that cannot be read, a picture whose
code fails.
"""

import os
import sys
from pathlib import Path

from sphinx.cmd.build import main

HERE = Path(__file__).parent


def build(target: Path) -> int:
    """Make the site in a folder and return how it ended, 0 when all is well."""
    folder = target.resolve()
    strict = ["-b", "html", "-q", "-W", "--keep-going", "-j", "2"]
    english = [*strict, "-d", f"{folder}/.pages", str(HERE), str(folder)]
    os.environ["CSIMODEL_SITE"] = str(folder)  # where the Chinese pages find the English ones
    chinese = [*strict, "-d", f"{folder}/.pages-zh", str(HERE / "zh"), f"{folder}/zh"]
    return main(english) or main(chinese)


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "_build"))
