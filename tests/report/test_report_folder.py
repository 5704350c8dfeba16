"""The folder of a report: the old one whole or the new one whole, and nothing of the user's touched."""

import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

import csimodel as csi
from csimodel.report import folder as folder_module
from csimodel.report.folder import MANIFEST, require_folder, write_together

KNOWN = {"report.html", "results.json", "tables/a.csv", "tables/b.csv", "figures/a.svg"}
OLD = {name: f"old {name}".encode() for name in ("report.html", "results.json", "tables/a.csv")}
NEW = {name: f"new {name}".encode() for name in sorted(KNOWN - {"tables/a.csv"})}


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def whole(folder, files):
    """Return whether a folder holds exactly these files, their manifest, and no leftovers."""
    found = contents(folder)
    found.pop(MANIFEST, None)
    return found == files and not list(folder.glob(".csimodel-*"))


def test_a_later_report_takes_the_place_of_an_earlier(tmp_path):
    place = tmp_path / "a" / "b"
    write_together(place, OLD, KNOWN)
    assert whole(place, OLD)
    listed = json.loads((place / MANIFEST).read_text(encoding="utf-8"))["sha256"]
    assert set(listed) == set(OLD)
    write_together(place, NEW, KNOWN)
    assert whole(place, NEW)
    write_together(place, NEW, KNOWN)
    assert whole(place, NEW)


FAULTS = {
    "interrupt": KeyboardInterrupt(),
    "disk full": OSError(errno.ENOSPC, "No space left on device"),
    "bug": RuntimeError("no reason"),
}


class Countdown:
    """Raises at the k-th call that changes the disk; the calls after it work again."""

    def __init__(self, monkeypatch, k, error, every=False):
        self.left, self.error, self.every, self.fired = k, error, every, False
        for owner, name in (
            (Path, "write_bytes"), (Path, "rename"), (Path, "mkdir"), (Path, "rmdir"),
            (folder_module.tempfile, "mkdtemp"),
        ):  # fmt: skip
            monkeypatch.setattr(owner, name, self.counted(getattr(owner, name)))

    def counted(self, call):
        def run(*arguments, **options):
            self.left -= 1
            if self.left == 0 or (self.every and self.left < 0):
                self.fired = True
                raise self.error
            return call(*arguments, **options)

        return run


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("before", ["nothing", "an earlier report", "and files of the user"])
def test_interrupted_anywhere_the_old_one_stays_whole(tmp_path, fault, before):
    place, k = tmp_path / "out", 0
    mine = {"tables/mine.csv": b"mine", "notes.txt": b"mine"} if "user" in before else {}
    while True:
        k += 1
        own = tmp_path / str(k)
        place = own / "out"
        own.mkdir()
        if before != "nothing":
            write_together(place, OLD, KNOWN)
        for name, text in mine.items():
            (place / name).write_bytes(text)
        with pytest.MonkeyPatch.context() as patch:
            countdown = Countdown(patch, k, FAULTS[fault])
            try:
                write_together(place, NEW, KNOWN)
            except (KeyboardInterrupt, RuntimeError, csi.errors.OptionError):
                assert countdown.fired
        if not countdown.fired:
            assert whole(place, {**NEW, **mine})
            break
        if before == "nothing":
            assert not place.exists()
        else:
            assert whole(place, {**OLD, **mine}), k
    assert k > 10


@pytest.mark.parametrize("k", range(1, 30))
def test_a_user_who_goes_on_interrupting_loses_nothing(tmp_path, k):
    write_together(tmp_path, OLD, KNOWN)
    with pytest.MonkeyPatch.context() as patch:
        Countdown(patch, k, KeyboardInterrupt())
        Countdown(patch, k + 1, KeyboardInterrupt())
        with suppress(KeyboardInterrupt):
            write_together(tmp_path, NEW, KNOWN)
    assert whole(tmp_path, OLD) or whole(tmp_path, NEW)


def test_what_cannot_be_moved_back_is_kept_and_said_where(tmp_path):
    write_together(tmp_path, OLD, KNOWN)
    with pytest.MonkeyPatch.context() as patch:
        Countdown(patch, 12, OSError(errno.EIO, "Input/output error"), every=True)
        with pytest.raises(
            csi.errors.OptionError, match=r"neither the old one back \(Input/output"
        ) as told:
            write_together(tmp_path, NEW, KNOWN)
    (aside,) = tmp_path.glob(".csimodel-*")
    assert str(aside) in str(told.value)
    kept = set(contents(tmp_path).values())
    assert set(OLD.values()) <= kept
    assert set(NEW.values()) <= kept


def test_a_folder_that_was_made_for_a_report_that_failed_is_gone(tmp_path):
    with pytest.MonkeyPatch.context() as patch:
        Countdown(patch, 6, OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(
            csi.errors.OptionError,
            match=r"^The report cannot be written to .*\(No space left on device\); choose another",
        ):
            write_together(tmp_path / "a" / "b", NEW, KNOWN)
    assert list(tmp_path.iterdir()) == []


# --- what is somebody else's ---------------------------------------------------------------


@pytest.mark.parametrize("name", ["results.json", "report.html", "tables/b.csv", MANIFEST])
def test_a_file_of_the_user_is_not_overwritten(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b'{"mine": 1}')
    before = contents(tmp_path)
    for call in (
        lambda: write_together(tmp_path, NEW, KNOWN),
        lambda: require_folder(tmp_path, NEW, KNOWN),
    ):
        with pytest.raises(
            csi.errors.OptionError, match=r"; move it away, or choose another folder\.$"
        ) as told:
            call()
        assert repr(name) in str(told.value)
    assert contents(tmp_path) == before


def test_a_file_changed_by_the_user_is_neither_overwritten_nor_removed(tmp_path):
    write_together(tmp_path, OLD, KNOWN)
    (tmp_path / "results.json").write_bytes(b"mine now")
    with pytest.raises(
        csi.errors.OptionError, match=r"'results\.json' there was changed since it was written"
    ):
        write_together(tmp_path, NEW, KNOWN)
    (tmp_path / "results.json").unlink()
    (tmp_path / "tables" / "a.csv").write_bytes(b"mine now")
    write_together(tmp_path, NEW, KNOWN)
    assert whole(tmp_path, {**NEW, "tables/a.csv": b"mine now"})


@pytest.mark.parametrize(
    ("link", "aim"),
    [("tables", "elsewhere"), ("results.json", "elsewhere/file"), (MANIFEST, "elsewhere/file"),
     ("figures", "nowhere"), ("report.html", "nowhere")],
)  # fmt: skip
def test_a_link_in_the_way_is_not_followed(tmp_path, link, aim):
    elsewhere, place = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    (elsewhere / "file").write_bytes(b"mine")
    place.mkdir()
    (place / link).symlink_to(tmp_path / aim)
    with pytest.raises(csi.errors.OptionError, match=f"{link!r} there is not"):
        write_together(place, NEW, KNOWN)
    assert contents(elsewhere) == {"file": b"mine"}
    assert (place / link).is_symlink()
    assert len(list(place.iterdir())) == 1


def test_an_earlier_table_behind_a_link_is_left_alone(tmp_path):
    place, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    write_together(place, OLD, KNOWN)
    (place / "tables").rename(elsewhere)
    (place / "tables").symlink_to(elsewhere)
    write_together(place, {"report.html": b"new"}, KNOWN)
    assert contents(elsewhere) == {"a.csv": OLD["tables/a.csv"]}


def test_a_manifest_leads_nowhere_else(tmp_path):
    place, mine = tmp_path / "out", tmp_path / "mine.txt"
    mine.write_bytes(b"mine")
    place.mkdir()
    (place / "own.txt").write_bytes(b"mine")
    digest = folder_module._hash(b"mine")
    names = {"../mine.txt": digest, str(mine): digest, "own.txt": digest}
    (place / MANIFEST).write_text(json.dumps({"program": "csimodel", "sha256": names}))
    write_together(place, NEW, KNOWN)
    assert mine.read_bytes() == b"mine"
    assert (place / "own.txt").read_bytes() == b"mine"


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"program": "csimodel", "sha256": [1]}',
             b'{"program": "npm"}', b'{"program": "csimodel", "sha256": {"a": 1}}'],
)  # fmt: skip
def test_what_is_no_manifest_is_the_users(tmp_path, text):
    (tmp_path / MANIFEST).write_bytes(text)
    with pytest.raises(csi.errors.OptionError, match="is not the manifest of an earlier report"):
        write_together(tmp_path, NEW, KNOWN)
    assert contents(tmp_path) == {MANIFEST: text}


def test_a_folder_in_the_place_of_a_file_and_a_file_in_that_of_a_folder(tmp_path):
    (tmp_path / "results.json").mkdir()
    with pytest.raises(
        csi.errors.OptionError, match=r"'results\.json' there is not a file of an earlier"
    ):
        write_together(tmp_path, NEW, KNOWN)
    (tmp_path / "results.json").rmdir()
    (tmp_path / "figures").write_bytes(b"mine")
    with pytest.raises(csi.errors.OptionError, match="'figures' there is not a folder of its own"):
        write_together(tmp_path, NEW, KNOWN)
    assert contents(tmp_path) == {"figures": b"mine"}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("file", "it is a file"),
        ("file/below", "cannot be written"),
        ("x" * 300, "cannot be written"),
    ],
)
def test_what_can_be_no_folder_is_said_before_the_work_and_at_writing(tmp_path, path, message):
    (tmp_path / "file").write_bytes(b"mine")
    for call in (require_folder, write_together):
        with pytest.raises(
            csi.errors.OptionError, match=r"cannot be written to .*; choose another folder\."
        ):
            call(tmp_path / path, NEW, KNOWN)
    assert contents(tmp_path) == {"file": b"mine"}


def test_a_folder_that_may_not_be_written_is_said(tmp_path, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(csi.errors.OptionError, match=r"cannot be written to .*; choose another"):
        require_folder(tmp_path / "out", NEW, KNOWN)
    monkeypatch.setattr(Path, "mkdir", refused)
    with pytest.raises(
        csi.errors.OptionError, match=r"cannot be written to .* \(Permission denied\); choose"
    ):
        write_together(tmp_path / "out", NEW, KNOWN)


@pytest.mark.parametrize("folder", ["", None, 3, "a\0b", b"bytes"])
def test_what_is_no_path_is_refused(folder):
    with pytest.raises(csi.errors.OptionError, match="is no path; give the name of a folder"):
        folder_module.folder_of(folder)


# --- several writers -----------------------------------------------------------------------


def test_of_two_writers_one_report_wins_whole(tmp_path):
    reports = [
        {name: f"{i} {name}".encode() * 50 for name in sorted(KNOWN)[i % 3 :]} for i in (0, 1, 2)
    ]
    for _ in range(60):
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda files: write_together(tmp_path, files, KNOWN), reports))
        assert any(whole(tmp_path, files) for files in reports)


def test_of_writers_in_several_processes_one_wins_whole(tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from csimodel.report.folder import write_together\n"
        "files = {f'tables/{k}.csv': sys.argv[2].encode() for k in 'abcdefgh'}\n"
        "for _ in range(40): write_together(Path(sys.argv[1]), files, set(files))\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "out"), name])
        for name in ("one", "two")
    ]
    assert [process.wait(120) for process in running] == [0, 0]
    found = contents(tmp_path / "out")
    found.pop(MANIFEST)
    assert len(found) == 8
    assert len(set(found.values())) == 1


# --- a report ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def analysis():
    model = csi.Model.from_syntax("Q =~ PERQ1 + PERQ2\nS =~ CUSA1 + CUSA2\nS ~ Q")
    return csi.analyze(csi.load_mobi(), model, target="S", draws=30, progress=False)


def test_a_report_leaves_the_users_files_alone(analysis, tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "index_by_group.csv").write_bytes(b"mine")
    page = csi.write_report(analysis, tmp_path, progress=False)
    assert page == tmp_path / "report.html"
    assert (tmp_path / "tables" / "index_by_group.csv").read_bytes() == b"mine"
    (tmp_path / "results.json").write_bytes(b"mine")
    before = contents(tmp_path)
    with pytest.raises(csi.errors.OptionError, match=r"'results\.json' there was changed"):
        csi.write_report(analysis, tmp_path, progress=False)
    assert contents(tmp_path) == before


def test_the_folder_is_looked_at_before_figures_are_drawn(analysis, tmp_path, monkeypatch):
    from csimodel.report import figures

    (tmp_path / "report.html").write_bytes(b"mine")
    monkeypatch.setattr(figures, "drawings", lambda _: pytest.fail("drawn"))
    with pytest.raises(
        csi.errors.OptionError, match=r"'report\.html' there is not of an earlier report"
    ):
        csi.write_report(analysis, tmp_path, progress=False)


def test_of_two_reports_written_in_threads_one_is_whole(analysis, tmp_path):
    model = analysis.fit.model
    other = csi.analyze(csi.load_mobi(), model, target="S", draws=40, progress=False)
    alone = {}
    for name, one in (("first", analysis), ("second", other)):
        csi.write_report(one, tmp_path / name, progress=False)
        alone[name] = contents(tmp_path / name)
    for _ in range(2):
        with ThreadPoolExecutor(2) as pool:
            write = lambda one: csi.write_report(one, tmp_path / "both", progress=False)  # noqa: E731
            list(pool.map(write, (analysis, other)))
        assert contents(tmp_path / "both") in alone.values()
