"""Opens the result cells that sql/aggregate.sql wrote down, and compares them with what PostgreSQL worked out.

usage: check_results.py FILE
"""

import struct
import sys
from decimal import Decimal

import cells

# The result's type by the argument's: of sum, and of all others.
SUM = {"int2": "int8", "int4": "int8", "int8": "numeric", "numeric": "numeric", "float4": "float4", "float8": "float8"}
OTHER = {"int2": "numeric", "int4": "numeric", "int8": "numeric", "numeric": "numeric", "float4": "float8", "float8": "float8"}


def numeric_text(plain):
    """numeric_out of the send form: so that the scale is compared as well."""
    count, weight, sign, scale = struct.unpack(">HhHH", plain[:8])
    if sign >= 0xC000:
        return {0xC000: "NaN", 0xD000: "Infinity", 0xF000: "-Infinity"}[sign]
    digits = struct.unpack(f">{count}H", plain[8:])
    value = sum((Decimal(d).scaleb(4 * (weight - i)) for i, d in enumerate(digits)), Decimal(0))
    return ("-" if sign else "") + f"{value:.{scale}f}"


def text(type_name, plain):
    if type_name == "int8":
        return str(int.from_bytes(plain, "big", signed=True))
    if type_name == "numeric":
        return numeric_text(plain)
    return struct.unpack(">f" if type_name == "float4" else ">d", plain)[0]


def same(type_name, got, expected):
    if type_name not in ("float4", "float8"):
        return got == expected
    wanted = float(expected)
    if type_name == "float4":
        wanted = struct.unpack(">f", struct.pack(">f", wanted))[0]
    return got == wanted or (got != got and wanted != wanted)


def main(path):
    import decimal

    decimal.getcontext().prec = 5000
    checked = 0
    for line in open(path, encoding="utf-8"):
        argument, function, rows, cell, expected = line.rstrip("\n").split("|")
        if int(rows) < 0:  # out of range on both sides
            continue
        if int(rows) == 0:
            assert cell == expected == "", line
            continue
        role, _, type_name, key, plain = cells.open_cell(bytes.fromhex(cell[2:]))
        wanted = (SUM if function == "sum" else OTHER)[argument]
        assert (role, type_name, key) == (cells.RESULT, wanted, cells.KEY), line
        got = text(type_name, plain)
        assert same(type_name, got, expected), f"{function}({argument}) of {rows}: {got}, not {expected}"
        checked += 1
    assert checked > 200, checked
    print(f"{checked} results as PostgreSQL's")


if __name__ == "__main__":
    main(sys.argv[1])
