#!/usr/bin/env python3
"""Writes the files of the meeting page into one C file, for src/front/assets.h.

    embed.py WEB_FOLDER OUT.c OUT.d
"""
import gzip
import hashlib
import os
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
NOT_SERVED = {"tsconfig.json", "meson.build"}
FOLDERS_NOT_SERVED = {"test", "node_modules"}


def served_files(folder):
    for at, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if f not in FOLDERS_NOT_SERVED]
        for name in names:
            extension = os.path.splitext(name)[1]
            if name in NOT_SERVED or name.endswith(".d.ts") or extension not in TYPES:
                continue
            yield os.path.join(at, name), TYPES[extension]


def c_bytes(name, content):
    rows = [",".join(map(str, content[i:i + 32])) for i in range(0, len(content), 32)]
    return f"static const unsigned char {name}[] = {{\n" + ",\n".join(rows) + "\n};\n"


def main():
    folder, out_path, depfile_path = sys.argv[1:]
    found = []
    for path, kind in served_files(folder):
        served_at = "/" + os.path.relpath(path, folder).replace(os.sep, "/")
        found.append((served_at.encode(), path, kind))
    found.sort()

    data, rows = [], []
    for number, (served_at, path, kind) in enumerate(found):
        with open(path, "rb") as file:
            content = file.read()
        if not content:
            sys.exit(f"embed.py: {path} is empty")
        packed = gzip.compress(content, 9, mtime=0)
        smaller = len(packed) < len(content)
        etag = hashlib.sha256(content).hexdigest()[:20]
        data.append(c_bytes(f"content_{number}", content))
        if smaller:
            data.append(c_bytes(f"gzipped_{number}", packed))
        rows.append(
            f'    {{ "{served_at.decode()}", "{kind}", "\\"{etag}\\"",\n'
            f"      {{ content_{number}, sizeof content_{number} }},\n"
            + (f"      {{ gzipped_{number}, sizeof gzipped_{number} }} }},\n" if smaller
               else "      { 0, 0 } },\n"))

    with open(out_path, "w", encoding="utf-8") as out:
        out.write('#include "front/assets.h"\n\n')
        out.writelines(data)
        out.write("static const struct asset items[] = {\n" + "".join(rows) + "};\n\n")
        out.write(f"const struct assets web_assets = {{ items, {len(rows)} }};\n")
    with open(depfile_path, "w", encoding="utf-8") as depfile:
        # the folders too, so that a new file is seen
        names = [path for _, path, _ in found] + [at for at, _, _ in os.walk(folder)]
        depfile.write(out_path + ": " + " ".join(n.replace(" ", "\\ ") for n in names) + "\n")


if __name__ == "__main__":
    main()
