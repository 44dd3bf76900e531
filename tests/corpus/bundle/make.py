#!/usr/bin/env python3
"""Makes the hostile bundles of this directory, each named by its attack.

    tests/corpus/bundle/make.py [DIR]

Deterministic: the same bytes whenever and wherever it runs, so that the files that are
kept beside it can be compared with what it makes (gzip data are stored, not
compressed, except where the attack is compression; that needs zlib's usual output).

tests/e2e/bundle_test.cc opens each and expects a refusal that names the member. The
"good." ones prove that the writers here can make something that is accepted.
"""
import io
import pathlib
import struct
import sys
import zipfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
GOOD = ("hooks/good.sh", b"#!/bin/sh\nexit 0\n")


def gzip(data, level=0):
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = packer.compress(data) + packer.flush()
    return (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body
            + struct.pack("<II", zlib.crc32(data), len(data) & 0xffffffff))


def octal(value, width):
    return b"%0*o\0" % (width - 1, value)


def header(name, size=0, kind=b"0", mode=0o644, link=b"", dev=(0, 0)):
    """A ustar header; the name as it stands, whatever it holds."""
    name = name if isinstance(name, bytes) else name.encode()
    block = bytearray(512)
    fields = [(0, name[:100]), (100, octal(mode, 8)), (108, octal(0, 8)), (116, octal(0, 8)),
              (124, octal(size, 12)), (136, octal(0, 12)), (148, b" " * 8), (156, kind),
              (157, link[:100]), (257, b"ustar\x0000"), (329, octal(dev[0], 8)),
              (337, octal(dev[1], 8))]
    for at, value in fields:
        block[at:at + len(value)] = value
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data):
    return data + b"\0" * (-len(data) % 512)


def member(name, content=b"x", **more):
    return header(name, len(content), **more) + padded(content)


def pax(records, kind=b"x"):
    body = b""
    for key, value in records:
        rest = b" " + key + b"=" + value + b"\n"
        length = len(rest)
        while length != len(rest) + len(str(length)):
            length = len(rest) + len(str(length))
        body += str(length).encode() + rest
    return header("PaxHeaders/0", len(body), kind=kind) + padded(body)


def pax_member(name, content=b"x"):
    return pax([(b"path", name)]) + member("short", content)


def long_member(name, content=b"x"):
    """A GNU long name."""
    return (header("././@LongLink", len(name) + 1, kind=b"L") + padded(name + b"\0")
            + member("short", content))


END = b"\0" * 1024


def tar(*members):
    return b"".join(members) + member(*GOOD, mode=0o755) + END


def tgz(*members):
    return gzip(tar(*members))


def zipped(*members, mutate=None):
    """members: name, content, unix mode with its type."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content, mode in [*members, (*GOOD, 0o100755)]:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            info.external_attr = mode << 16
            archive.writestr(info, content)
    data = out.getvalue()
    return mutate(data) if mutate else data


def zip_twice(name):
    # Written under another name of the same length, which is replaced afterwards.
    other = name[:-1] + ("B" if name[-1] != "B" else "C")
    return zipped((name, b"1", 0o100644), (other, b"2", 0o100644),
                  mutate=lambda data: data.replace(other.encode(), name.encode()))


def zip_two_names():
    def local_only(data):
        at = data.index(b"hooks/a.sh")
        return data[:at] + b"hooks/b.sh" + data[at + 10:]
    return zipped(("hooks/a.sh", b"1", 0o100644), mutate=local_only)


def zip_shared_content():
    """Two members whose content is the same bytes: the building block of zip bombs."""
    data = zipped(("hooks/a.sh", b"1" * 64, 0o100644), ("hooks/a.sX", b"2" * 64, 0o100644))
    first, second = (data.index(b"PK\x01\x02"), None)
    second = data.index(b"PK\x01\x02", first + 4)
    entry = data[first:second]
    patched = bytearray(data)
    patched[second:second + len(entry)] = entry
    return bytes(patched)


def corpus():
    long_name = b"hooks/" + b"n" * 256
    deep = "/".join(["hooks"] + ["d"] * 100 + ["x.sh"]).encode()
    nfc, nfd = "hooks/caf\u00e9.sh".encode(), "hooks/cafe\u0301.sh".encode()
    good = tgz(member("hooks/x.sh", b"#!/bin/sh\nexit 0\n"))
    return {
        "good.tgz": good,
        "good.tar": tar(member("hooks/x.sh")),
        "good.zip": zipped(("hooks/x.sh", b"x", 0o100644)),
        "good-longest-name.tgz": tgz(pax_member(b"hooks/" + b"n" * 255)),
        "absolute-name.tgz": tgz(member("/etc/passwd")),
        "absolute-name.zip": zipped(("/etc/passwd", b"x", 0o100644)),
        "bad-checksum.tgz": good[:-8] + b"\0\0\0\0" + good[-4:],
        "bidi-name.tgz": tgz(pax_member("hooks/\u202ehs.exe".encode())),
        "block-device.tgz": tgz(header("hooks/sda", kind=b"4", dev=(8, 0))),
        "bomb.tgz": gzip(tar(member("hooks/bomb", b"\0" * (24 << 20))), level=9),
        "bomb-beside-the-tree.tgz": gzip(tar(member("README.md", b"\0" * (24 << 20))), level=9),
        "bomb-twice-compressed.tgz": gzip(gzip(tar(member("hooks/x", b"\0" * (24 << 20))),
                                               level=9), level=9),
        "case-folding-directories.tgz": tgz(member("hooks/A/x.sh"), member("hooks/a/y.sh")),
        "case-folding-names.tgz": tgz(member("hooks/a.sh"), member("hooks/A.sh")),
        "case-folding-names.zip": zipped(("hooks/a.sh", b"1", 0o100644),
                                         ("hooks/A.sh", b"2", 0o100644)),
        "character-device.tgz": tgz(header("hooks/null", kind=b"3", dev=(1, 3))),
        "deep.tgz": tgz(pax_member(deep)),
        "directory-with-content.tgz": tgz(header("hooks/d/", 512, kind=b"5") + b"x" * 512),
        "dot-dot.tgz": tgz(member("hooks/../../../etc/cron.d/x")),
        "dot-dot.zip": zipped(("hooks/../../x.sh", b"x", 0o100644)),
        "dot-dot-long-name.tgz": tgz(long_member(b"hooks/" + b"a" * 120 + b"/../../../x.sh")),
        "dot-dot-pax.tgz": tgz(pax_member(b"hooks/../../x.sh")),
        "duplicate-name.tgz": tgz(member("hooks/a.sh", b"1"), member("hooks/a.sh", b"2")),
        "duplicate-name.zip": zip_twice("hooks/aA"),
        "duplicate-name-dotted.tgz": tgz(member("hooks/a.sh"), member("./hooks/a.sh")),
        "empty.tgz": b"",
        "empty.zip": b"PK\x05\x06" + b"\0" * 18,
        "escape-in-name.tgz": tgz(member("hooks/\x1b[2Jx.sh")),
        "fifo.tgz": tgz(header("hooks/fifo", kind=b"6")),
        "file-and-directory.tgz": tgz(member("hooks/d"), member("hooks/d/x.sh")),
        "file-and-directory-folded.tgz": tgz(member("hooks/d"), member("hooks/D/x.sh")),
        "hard-link.tgz": tgz(member("hooks/a.sh"), header("hooks/h.sh", kind=b"1",
                                                          link=b"hooks/a.sh")),
        "hard-link-outside.tgz": tgz(header("hooks/h.sh", kind=b"1", link=b"/etc/passwd")),
        "ignorable-in-name.tgz": tgz(member("hooks/a.sh"),
                                     pax_member("hooks/a\u200c.sh".encode())),
        "link.tgz": tgz(header("hooks/l.sh", kind=b"2", link=b"/etc/passwd")),
        "link.zip": zipped(("hooks/l.sh", b"/etc/passwd", 0o120777)),
        "link-then-through.tgz": tgz(header("hooks/l", kind=b"2", link=b"/etc"),
                                     member("hooks/l/x.sh")),
        "link-as-folder.tgz": tgz(header("commands", kind=b"2", link=b"/etc")),
        "long-name.tgz": tgz(pax_member(long_name)),
        "newline-in-name.tgz": tgz(member("hooks/a\nb.sh")),
        "nfc-equal-names.tgz": tgz(pax_member(nfc), pax_member(nfd)),
        "no-tree.tgz": gzip(member("README.md") + END),
        "not-an-archive.tgz": b"This is no archive.\n" * 40,
        "nul-in-long-name.tgz": tgz(long_member(b"hooks/a.sh\0/../../x")),
        "nul-in-name.zip": zipped(("hooks/a.shX", b"x", 0o100644),
                                  mutate=lambda d: d.replace(b"hooks/a.shX", b"hooks/a.sh\0")),
        "nul-in-pax-path.tgz": tgz(pax_member(b"hooks/a.sh\0.txt")),
        "setgid.tgz": tgz(member("hooks/s.sh", mode=0o2755)),
        "setuid.tgz": tgz(member("hooks/s.sh", mode=0o4755)),
        "setuid.zip": zipped(("hooks/s.sh", b"x", 0o104755)),
        "shared-content.zip": zip_shared_content(),
        "size-larger-than-archive.tgz": gzip(header("hooks/x.sh", 1 << 20) + b"x" * 512),
        "size-of-pax.tgz": tgz(pax([(b"size", b"99999999999999999999")]), member("hooks/x.sh")),
        "sparse.tgz": tgz(pax([(b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"),
                               (b"GNU.sparse.name", b"hooks/x.sh"),
                               (b"GNU.sparse.realsize", b"1099511627776")]), member("hooks/y.sh")),
        "too-large-a-file.tgz": gzip(header("hooks/x.sh", 1 << 40) + b"x" * 512),
        "truncated.tgz": gzip(tar(member("hooks/x.sh", b"y" * 2000)))[:700],
        "truncated.zip": zipped(("hooks/x.sh", b"y" * 2000, 0o100644))[:700],
        "truncated-at-a-member.tgz": gzip(member("hooks/x.sh", b"#!/bin/sh\n")),
        "truncated-tar.tgz": gzip(tar(member("hooks/x.sh", b"y" * 2000))[:900]),
        "two-names.zip": zip_two_names(),
        "two-trees.tgz": gzip(member("templates/a/.claude/hooks/x.sh")
                              + member("templates/b/.claude/hooks/x.sh") + END),
        "unknown-kind.tgz": tgz(header("hooks/m", kind=b"M")),
    }


def main():
    target = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    target.mkdir(parents=True, exist_ok=True)
    for name, data in corpus().items():
        (target / name).write_bytes(data)


if __name__ == "__main__":
    main()
