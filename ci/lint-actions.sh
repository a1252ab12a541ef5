#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Workflows and actions: each is valid by the schema of GitHub, each "run:" passes shellcheck, and no
# expression stands in a "run:", where what it expands to would be part of the script.
set -euo pipefail
cd "$(dirname "$0")/.."
files=(.github/workflows/*.yml .github/actions/*/action.yml)
for file in "${files[@]}"; do
    npm exec --yes -- @action-validator/cli@0.6.0 "$file"
done
scripts=$(mktemp -d)
trap 'rm -rf "$scripts"' EXIT
python3 - "$scripts" "${files[@]}" <<'PY'
import os, sys, yaml
folder, files = sys.argv[1], sys.argv[2:]
bad = n = 0
def steps_of(doc):
    for job in (doc.get("jobs") or {"": doc.get("runs") or {}}).values():
        yield from job.get("steps", [])
for name in files:
    for step in steps_of(yaml.safe_load(open(name))):
        run = step.get("run")
        if run is None:
            continue
        if "${{" in run:
            print(f"{name}: an expression in a run: - pass it by env:")
            bad = 1
        n += 1
        open(os.path.join(folder, f"{n:03}.sh"), "w").write("#!/bin/bash\nset -eo pipefail\n" + run)
if n == 0:
    sys.exit("no run: was found")
sys.exit(bad)
PY
shellcheck "$scripts"/*.sh
