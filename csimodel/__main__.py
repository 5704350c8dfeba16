"""``python -m csimodel``: the command line."""

from csimodel.cli import app

if __name__ == "__main__":
    app(prog_name="csimodel")
