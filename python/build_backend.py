"""Builds winnow's wheel: the package and libwinnow.so, nothing else (PEP 517, PEP 660's not).

The library comes from a CMake build in release form, made in build/wheel where
WINNOW_BUILD does not name one that is there.  No other package is needed, so `pip install .`
works without a network.  The wheel uses the shared libraries of this system; `auditwheel repair`
puts them inside, for other systems.
"""

import base64
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERSION = re.search(r"project\(winnow VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
TAG = "py3-none-" + sysconfig.get_platform().replace("-", "_").replace(".", "_")
METADATA = f"""\
Metadata-Version: 2.1
Name: winnow
Version: {VERSION}
Summary: Turns raw text into the corpus that trains the better language model, with proof
Requires-Python: >=3.9
"""


def _library():
    build = os.environ.get("WINNOW_BUILD")
    if not build:
        build = ROOT / "build" / "wheel"
        subprocess.run(["cmake", "-S", ROOT, "-B", build, "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DBUILD_TESTING=OFF"],
                       check=True)
        subprocess.run(["cmake", "--build", build, "--target", "winnow_shared", "--parallel"], check=True)
    return pathlib.Path(build).resolve() / "install" / "libwinnow.so"


def _stubs(library):
    """What make_stubs.py prints of this library."""
    env = {**os.environ, "WINNOW_LIBRARY": str(library), "PYTHONPATH": str(ROOT / "python")}
    script = ROOT / "python" / "make_stubs.py"
    return subprocess.run([sys.executable, script], env=env, check=True, stdout=subprocess.PIPE).stdout


def _files():
    package, library = ROOT / "python" / "winnow", _library()
    for path in sorted(package.glob("*")):
        if path.suffix == ".py" or path.name == "py.typed":
            yield f"winnow/{path.name}", path.read_bytes()
    yield "winnow/__init__.pyi", _stubs(library)
    yield "winnow/libwinnow.so", library.read_bytes()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    info = f"winnow-{VERSION}.dist-info"
    name = f"winnow-{VERSION}-{TAG}.whl"
    record = []
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w", zipfile.ZIP_DEFLATED) as wheel:
        def add(path, data):
            wheel.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{path},sha256={digest},{len(data)}\n")

        for path, data in _files():
            add(path, data)
        add(f"{info}/METADATA", METADATA.encode())
        add(f"{info}/licenses/LICENSE", (ROOT / "LICENSE").read_bytes())
        add(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: winnow\nRoot-Is-Purelib: false\nTag: {TAG}\n".encode())
        record.append(f"{info}/RECORD,,\n")
        wheel.writestr(f"{info}/RECORD", "".join(record))
    return name


def build_sdist(sdist_directory, config_settings=None):
    raise NotImplementedError("the source is the repository itself")
