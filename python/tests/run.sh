#!/bin/sh
# The Python binding: first from the tree, then as the wheel that `pip install .` makes, in a fresh
# environment.   python/tests/run.sh BUILD PYTHON
set -eu
build=$(readlink -f "$1") python=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null ||
    { echo "skipped: no Python 3.9 or newer"; exit 77; }
export WINNOW_PROGRAM="$build/winnow" PYTHONDONTWRITEBYTECODE=1
WINNOW_LIBRARY=$build/install/libwinnow.so PYTHONPATH=$root/python "$python" "$root/python/tests/test_winnow.py"
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    { echo "the binding from the tree is right; skipped: the wheel, for Python has no venv here (python3-venv)"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv "$work/venv"
WINNOW_BUILD=$build "$work/venv/bin/pip" install --quiet --no-index --disable-pip-version-check "$root"
cp "$root/python/tests/test_winnow.py" "$work"
cd "$work"
env -u WINNOW_LIBRARY -u PYTHONPATH venv/bin/python test_winnow.py
venv/bin/python - <<'END'
import ast, pathlib, winnow
assert "venv" in winnow.__file__
stubs = ast.parse(pathlib.Path(winnow.__file__).with_name("__init__.pyi").read_text())
named = {n.name for n in ast.walk(stubs) if isinstance(n, (ast.ClassDef, ast.FunctionDef))} | {"stages"}
wanted = set(winnow.__all__) | {t["command"] for t in winnow.options() if t["stage"]}
assert wanted <= named, f"the stubs lack {wanted - named}"
END
echo "the wheel: installed, tested, stubs complete"
