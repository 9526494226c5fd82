"""Archives without their secrets: everything else of them stays, and what people open them with still does."""

from __future__ import annotations

import gzip
import io
import json
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.detector import Kind, Secret
from scanner.redaction.files import Done, Settings, redact_file
from scanner.redaction.leftovers import Known
from scanner.redaction.mask import Style
from scanner.run import Options
from tests.archived_logs import FILES, LOG, OTHER, PLAIN, QUIET, TOKEN, contents, is_clean
from tests.archives import made_by, tar, tree, zipped
from tests.commands import bearertrap
from tests.scanning import AS_OF, KEY, jwt
from tests.streams import source_of

TAR_FORMS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}


def known(style: Style) -> Known:
    values = Known()
    values.take(Secret(TOKEN), Kind.BEARER_TOKEN, "1" * 64)
    values.take(Secret(OTHER), Kind.CLIENT_SECRET, "2" * 64)
    values.prepare(style)
    return values


def redacted(path: Path, style: Style = Style.LABEL) -> tuple[Done, bytes]:
    """The file redacted by a run that knows both values, and what was written."""
    place = path.with_name("made")
    place.unlink(missing_ok=True)
    done = redact_file(source_of(path), os.fsencode(place), known(style), Settings(Options(AS_OF, KEY), style))
    return done, place.read_bytes() if place.exists() else b""


def made_of(data: bytes, tmp_path: Path, style: Style = Style.LABEL) -> bytes:
    """What becomes of a file that can be redacted."""
    path = tmp_path / "archive"
    path.write_bytes(data)
    done, made = redacted(path, style)
    assert done.trouble is None and done.placed
    return made


def bearing(name: str) -> bool:
    return not is_clean(PLAIN[name])


@pytest.mark.parametrize("form", ["v7", "oldgnu", "gnu", "ustar", "pax"])
def test_gnu_tar_sees_no_difference_but_the_content(form: str, tmp_path: Path) -> None:
    """Order, names, modes, owners, times and links as `tar tv` tells them; what it extracts is without secrets."""
    files = {name: data for name, data in FILES.items() if len(name) < 99 or form not in ("v7", "ustar")}
    folder = tree(tmp_path / "in", files)
    os.chmod(folder / "app/app.log", 0o4640)
    os.utime(folder / "app/quiet.log", ns=(10**18, 1_700_000_000_123_456_789))
    (folder / "app/soft").symlink_to("quiet.log")
    os.link(folder / "app/app.log", folder / "app/zhard")
    if form != "v7":
        os.mkfifo(folder / "app/fifo")
    packed = made_by(["tar", f"--format={form}", "-cf-", "--sort=name", "--owner=u:77", "--group=g:78", "app"], folder)
    made = made_of(packed, tmp_path)
    assert len(made) % 10240 == 0 and made != packed
    told = [listing(data, tmp_path) for data in (packed, made)]
    assert told[0] == told[1] and len(told[0]) >= len(files) + 2
    out = tmp_path / "out"
    out.mkdir()
    made_by(["tar", "-xf-", "--no-same-owner"], out, made)
    for name in files:
        data = (out / name).read_bytes()
        assert is_clean(gzip.decompress(data) if name.endswith(".gz") else data)
        assert (data == FILES[name]) is not bearing(name)
    assert (out / "app/zhard").stat().st_ino == (out / "app/app.log").stat().st_ino


def listing(data: bytes, folder: Path) -> list[tuple[str, ...]]:
    """`tar tv`, the size left out."""
    lines = made_by(["tar", "-tvf-", "--full-time", "--numeric-owner"], folder, data).decode().splitlines()
    return [(*line.split()[:2], *line.split()[3:]) for line in lines]


@pytest.mark.parametrize("form", ["gnu", "pax --sparse-version=0.0", "pax --sparse-version=0.1", "pax"])
def test_sparse_members_keep_their_holes(form: str, tmp_path: Path) -> None:
    with open(tmp_path / "sparse", "wb") as file:
        for at in range(0, 1_000_000, 40_960):
            file.seek(at)
            file.write(LOG)
        file.truncate(1_200_000)
    before = (tmp_path / "sparse").read_bytes()
    packed = made_by(["tar", f"--format={form}".split()[0], *form.split()[1:], "--sparse", "-cf-", "sparse"], tmp_path)
    made = made_of(packed, tmp_path)
    assert len(made) == len(packed) < len(before) / 2
    after = contents(made, tmp_path)["sparse"]
    stars = before.replace(TOKEN, b"*" * len(TOKEN)).replace(OTHER, b"*" * len(OTHER))
    assert after == stars


def test_pax_headers_stay_and_sizes_in_them_are_told_anew(tmp_path: Path) -> None:
    out = io.BytesIO()
    headers = {"comment": "of all", "SCHILY.xattr.user.origin": "app-7"}
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "global"}) as archive:
        for size in (None, str(len(LOG))):
            info = tarfile.TarInfo("app.log")
            info.size, info.mtime = len(LOG), 1_700_000_000.25  # type: ignore[assignment]
            info.pax_headers = headers | ({"size": size} if size else {})
            archive.addfile(info, io.BytesIO(LOG))
    made = made_of(out.getvalue(), tmp_path)
    with tarfile.open(fileobj=io.BytesIO(made)) as archive:
        assert archive.pax_headers == {"comment": "global"}
        for info in archive.getmembers():
            content = archive.extractfile(info)
            assert content and is_clean(text := content.read()) and len(text) == info.size
            assert info.mtime == 1_700_000_000.25
            assert {key: info.pax_headers[key] for key in headers} == headers


def test_sizes_past_eight_gibibytes_are_told_in_base_256() -> None:
    from scanner.redaction.remaking.tar import _with_size

    block = _with_size(tarfile.TarInfo("big").tobuf(), 9 << 30)
    assert tarfile.TarInfo.frombuf(block, "utf-8", "strict").size == 9 << 30


def test_joined_tar_archives_stay_joined(tmp_path: Path) -> None:
    made = made_of(tar({"one": LOG}) + tar({"two": LOG}), tmp_path)
    read_on = made_by(["tar", "-tif-"], tmp_path, made)
    assert read_on == b"one\ntwo\n" and is_clean(made)


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def every_way(streamed: bool) -> bytes:
    """A zip of all methods, with all that a zip can say of its members."""
    out = io.BytesIO()
    with zipfile.ZipFile(_Unseekable(out) if streamed else out, "w") as archive:
        archive.comment = b"kept for the audit"
        for method in METHODS[: 3 if streamed else 4]:  # LZMA of unknown size can't be read from front to back
            for name, data in FILES.items():
                info = zipfile.ZipInfo(f"{method}/{name}", (2020, 2, 3, 4, 5, 6))
                info.compress_type = method
                info.external_attr = (stat.S_IFREG | 0o640) << 16
                info.comment = b"of this member"
                info.extra = b"\x55\x54\x05\x00\x01\x11\x22\x33\x44"
                with archive.open(info, "w", force_zip64=method == zipfile.ZIP_STORED) as file:
                    file.write(data)
        for method in METHODS[:2]:  # Java's archiver deflates the nothing that a folder holds
            info = zipfile.ZipInfo(f"folder-{method}/")
            info.compress_type = method
            with archive.open(info, "w"):
                pass
    return out.getvalue()


class _Unseekable(io.RawIOBase):
    def __init__(self, inner: io.BytesIO) -> None:
        self._inner = inner

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        return self._inner.write(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_zip_tells_of_its_members_what_it_told(streamed: bool, inside: bool, tmp_path: Path) -> None:
    """`inside` of a tar it is read once, from front to back, and written so."""
    before = every_way(streamed)
    made = made_of(tar({"in.zip": before}) if inside else before, tmp_path)
    if inside:
        with tarfile.open(fileobj=io.BytesIO(made)) as outer:
            file = outer.extractfile("in.zip")
            assert file
            made = file.read()
    with zipfile.ZipFile(io.BytesIO(before)) as old, zipfile.ZipFile(io.BytesIO(made)) as new:
        assert new.testzip() is None and new.comment == old.comment
        assert len(new.infolist()) == len(old.infolist())
        for one, other in zip(old.infolist(), new.infolist(), strict=True):
            for name in ("filename", "date_time", "compress_type", "comment", "external_attr", "create_system"):
                assert getattr(one, name) == getattr(other, name)
            assert one.extra[-9:] == other.extra[-9:]
            content = new.read(other)
            assert is_clean(gzip.decompress(content) if one.filename.endswith(".gz") else content)
            if one.filename.endswith(("/", "quiet.log", "empty")):
                assert content == old.read(one)


@pytest.mark.parametrize("checker", [["unzip", "-tq"], ["zip", "-T"]])
def test_other_programs_take_the_zip_for_whole(checker: list[str], tmp_path: Path) -> None:
    jar = io.BytesIO()
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("folder/", "w"):
            pass
        archive.writestr("folder/app.log", LOG)
    for data in (zipped(FILES), jar.getvalue()):
        (tmp_path / "made.zip").write_bytes(made_of(data, tmp_path))
        made_by([*checker, "made.zip"], tmp_path)


def test_a_member_of_a_zip_without_secrets_stays_as_it_was_packed(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("app.log", LOG)
        archive.writestr("quiet.log", QUIET * 9)
    before = out.getvalue()
    made = made_of(before, tmp_path)
    with zipfile.ZipFile(io.BytesIO(before)) as archive:
        info = archive.getinfo("quiet.log")
    begin = info.header_offset + 30 + len("quiet.log")
    assert before[begin : begin + info.compress_size] in made


def test_more_members_than_a_zip_can_count_in_two_bytes(tmp_path: Path) -> None:
    """zip64, by folders, which cost nothing."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(66_000):
            archive.writestr(f"{number}/", b"")
        archive.writestr("app.log", LOG)
    made = made_of(out.getvalue(), tmp_path)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert len(archive.infolist()) == 66_001 and is_clean(archive.read("app.log"))


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


NESTED = {
    "tar.gz": gzip.compress(tar(FILES)),
    "tar.zst": zstd(tar(FILES)),
    "tar.gz in zip": zipped({"a/b.tgz": gzip.compress(tar(FILES)), "quiet": QUIET}),
    "zip in tar in zip": zipped({"x.tar": tar({"y.zip": zipped(FILES, streamed=True), "z": LOG})}),
}


@pytest.mark.parametrize("shape", NESTED)
@pytest.mark.parametrize("style", [Style.LABEL, Style.EQUAL_LENGTH])
def test_nested_archives(shape: str, style: Style, tmp_path: Path) -> None:
    before = contents(NESTED[shape], tmp_path)
    made = made_of(NESTED[shape], tmp_path, style)
    after = contents(made, tmp_path)
    assert list(after) == list(before)
    assert all(map(is_clean, after.values()))
    for name, data in before.items():
        assert (after[name] == data) is is_clean(data)
        assert len(after[name]) == len(data) or style is Style.LABEL
    assert made_of(made, tmp_path, style) == made, "redacting twice changes nothing"


texts = st.lists(st.sampled_from([LOG, QUIET[:100], b"\0\xff\n", OTHER, b"token=" + jwt(3) + b"\n"]), max_size=5)


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.text("abc/.", min_size=1, max_size=8).filter(lambda n: not n.endswith("/")), texts, min_size=1, max_size=5
    ),
    st.sampled_from(["zip", "streamed zip", "tar", "gzip tar", "zip in tar", "tar in zip"]),
    st.sampled_from([Style.LABEL, Style.EQUAL_LENGTH, Style.PSEUDONYM]),
)
def test_a_member_becomes_what_the_file_would_become(
    tmp_path_factory: pytest.TempPathFactory, parts: dict[str, list[bytes]], shape: str, style: Style
) -> None:
    tmp_path = tmp_path_factory.mktemp("law")
    files = {name: b"".join(some) for name, some in parts.items()}
    pack = {
        "zip": lambda: zipped(files),
        "streamed zip": lambda: zipped(files, streamed=True),
        "tar": lambda: tar(files),
        "gzip tar": lambda: gzip.compress(tar(files, tarfile.PAX_FORMAT)),
        "zip in tar": lambda: tar({"in": zipped(files), "also": LOG}),
        "tar in zip": lambda: zipped({"in": tar(files), "also": LOG}),
    }
    after = contents(made_of(pack[shape](), tmp_path, style), tmp_path)
    alone = {name: made_of(data, tmp_path, style) for name, data in files.items()}
    found = {name.removeprefix("in").removeprefix("!"): data for name, data in after.items() if name != "also"}
    assert found == alone
    assert all(map(is_clean, after.values()))


def test_an_archive_without_secrets_is_copied_to_the_byte(tmp_path: Path) -> None:
    for data in (zipped({"a": QUIET}), gzip.compress(tar({"a": QUIET}), 1), tar({}), zipped({})):
        assert made_of(data, tmp_path) == data


def refused(data: bytes, tmp_path: Path) -> str:
    path = tmp_path / "archive"
    path.write_bytes(data)
    done, made = redacted(path)
    assert not done.placed and made == b"" and done.trouble
    assert is_clean(done.trouble.reason.encode())
    assert sorted(os.listdir(tmp_path)) == ["archive"]
    return f"{done.trouble.stream.shown}: {done.trouble.reason}"


def test_what_can_not_be_read_refuses_the_whole_archive(tmp_path: Path) -> None:
    locked = bytearray(zipped({"app.log": LOG, "secret.txt": LOG}))
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        locked[locked.rfind(mark) + flags] |= 1
    assert "archive!zip:secret.txt: not redacted: is encrypted" in refused(bytes(locked), tmp_path)
    assert "ends within this member" in refused(tar({"app.log": LOG * 99})[:2000], tmp_path)
    assert "ends too early" in refused(gzip.compress(tar(FILES))[:-30], tmp_path)
    damaged = bytearray(zipped({"app.log": LOG}, zipfile.ZIP_STORED))
    damaged[60] ^= 1
    assert "checksum is wrong" in refused(bytes(damaged), tmp_path)
    assert "damaged" in refused(tar({"app.log": LOG}).rstrip(b"\0") + b"x" * 5000, tmp_path)


def test_7z_is_refused_where_something_is_to_go_and_else_copied(tmp_path: Path) -> None:
    folder = tree(tmp_path / "in", {"app.log": LOG, "quiet.log": QUIET})
    for name in ("app.log", "quiet.log"):
        made_by(["7zz", "a", "-bd", f"../{name}.7z", name], folder)
    with_secrets = tmp_path / "app.log.7z"
    done, made = redacted(with_secrets)
    assert made == b"" and done.trouble and "7z can't be rewritten" in done.trouble.reason
    ran = bearertrap("redact", str(tmp_path / "quiet.log.7z"), "-o", str(tmp_path / "out"))
    assert ran.code == 0
    assert (tmp_path / "out/quiet.log.7z").read_bytes() == (tmp_path / "quiet.log.7z").read_bytes()


@pytest.mark.parametrize("where", ["tar name", "tar link", "zip name", "zip comment", "nested name"])
def test_secrets_in_names_and_comments_refuse_the_archive(where: str, tmp_path: Path) -> None:
    """They stay as they are, so nothing with such a name is written; the message does not say it."""
    name = f"cache/{TOKEN.decode()}.log"
    out = io.BytesIO()
    if where == "tar link":
        with tarfile.open(fileobj=out, mode="w") as archive:
            info = tarfile.TarInfo("link")
            info.type, info.linkname = tarfile.SYMTYPE, name
            archive.addfile(info)
    elif where == "zip comment":
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("quiet", QUIET)
            archive.comment = b"token=" + OTHER
    data = (
        out.getvalue()
        or {
            "tar name": lambda: tar({name: QUIET}),
            "zip name": lambda: zipped({name: QUIET}),
            "nested name": lambda: zipped({"x": tar({name: QUIET})}),
        }[where]()
    )
    assert "a name or a comment" in refused(data, tmp_path)


def test_json_in_a_member_stays_json(tmp_path: Path) -> None:
    record = json.dumps({"access_token": TOKEN.decode(), "n": 1}).encode() + b"\n"
    made = contents(made_of(zipped({"a.json": record * 20}), tmp_path), tmp_path)["a.json"]
    assert [json.loads(line)["n"] for line in made.splitlines()] == [1] * 20 and is_clean(made)
