#!/usr/bin/env bash
# Checks deploy/container-apps as far as it can be done without Azure: ShellCheck, Bicep's grammar and names, and,
# with BICEP_TYPES (folder generated/ of a clone of github.com/Azure/bicep-types-az), each resource against its type.
# Exit code 77: the tools cannot be had here.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
tools=$root/.local/validate/container-apps

unavailable() {
  printf 'container-apps.sh: %s\n' "$1" >&2
  exit 77
}

# Made anew when the list of tools has changed.
if ! cmp -s "$here/container-apps-requirements.txt" "$tools/requirements.txt"; then
  command -v python3 >/dev/null || unavailable 'python3 is not installed'
  python3 -m venv --clear "$tools" >&2 || unavailable 'python3 cannot make a virtual environment'
  "$tools/bin/pip" install --quiet --disable-pip-version-check \
    --requirement "$here/container-apps-requirements.txt" >&2 || unavailable 'pip cannot install the tools'
  cp "$here/container-apps-requirements.txt" "$tools/requirements.txt"
fi

"$tools/bin/shellcheck" "$root/deploy/container-apps/deploy.sh" "$here/container-apps.sh"

types=()
if [[ -n ${BICEP_TYPES:-} ]]; then types=(--types "$BICEP_TYPES"); fi
files=("$@")
if ((${#files[@]} == 0)); then files=("$root"/deploy/container-apps/*.bicep); fi
"$tools/bin/python" "$here/container-apps-bicep.py" "${types[@]}" "${files[@]}"
