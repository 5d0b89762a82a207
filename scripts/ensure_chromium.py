"""Makes sure that a Chromium is there for the tests: installs Debian's as root there, else says what to do."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-noto-core", "fonts-noto-cjk")


def main() -> int:
    """Find Chromium or install it; 1 with a clear line where neither can be."""
    if any(map(shutil.which, NAMES)):
        return 0
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        print("The tests drive a real Chromium: install one so that `chromium` is on the PATH.", file=sys.stderr)
        return 1
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([apt, "update", "-qq"], check=True, env=quiet)
    subprocess.run([apt, "install", "-qq", "-y", "--no-install-recommends", *PACKAGES], check=True, env=quiet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
