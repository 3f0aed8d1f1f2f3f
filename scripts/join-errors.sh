#!/usr/bin/env bash
# Joins schemas/errors/*.md into schemas/errors.md, in the order of the codes.
set -euo pipefail
cd "$(dirname "$0")/../schemas"
python3 - <<'PY'
import pathlib, re
parts = [pathlib.Path("errors.md")] + sorted(pathlib.Path("errors").glob("*.md"))
entries = {}
for part in parts:
    if part.exists():
        for section in re.split(r"(?m)^## ", part.read_text())[1:]:
            code = section[:6]
            if code in entries:
                raise SystemExit(f"{code} has two entries")
            entries[code] = "## " + section.strip() + "\n"
head = """# Errors

Every refusal and failure of Cloister has a code that never changes its meaning, an SQLSTATE, a cause and a fix. CL1xxx:
configuration and commands; CL2xxx: cells and values; CL3xxx: keys; CL4xxx: attestation and enclave; CL5xxx: protocol, sessions,
proxy; CL6xxx: statements that can't be bound; CL7xxx: the extension. No message carries a value, a key, a parameter or a row.

"""
pathlib.Path("errors.md").write_text(head + "\n".join(entries[code] for code in sorted(entries)))
PY
