#!/usr/bin/env python3
"""Writes a text file into a C file: `const unsigned char NAME[]`, `const unsigned NAME_size`.

    embed_text.py TEXT OUT.c NAME
"""
import sys


def main():
    path, out_path, name = sys.argv[1:]
    with open(path, "rb") as file:
        content = file.read()
    rows = [",".join(map(str, content[i:i + 32])) for i in range(0, len(content), 32)]
    with open(out_path, "w", encoding="utf-8") as out:
        out.write(f"extern const unsigned char {name}[];\n")
        out.write(f"extern const unsigned {name}_size;\n")
        out.write(f"const unsigned char {name}[] = {{\n" + ",\n".join(rows) + "\n};\n")
        out.write(f"const unsigned {name}_size = sizeof {name};\n")


if __name__ == "__main__":
    main()
