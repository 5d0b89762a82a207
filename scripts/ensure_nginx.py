"""Makes sure that an nginx is there for the test of docs/integrations/proxy.md: unpacks Debian's into the environment.

Nothing is installed on the machine, as Debian's package would start a server at once. Elsewhere, and where the package
cannot be had, the one test that needs nginx is left out and says so.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PLACE = Path(sys.prefix) / "nginx"
PROGRAM = PLACE / "usr" / "sbin" / "nginx"


def fetch(apt: str, dpkg: str) -> bool:
    """Download the package and unpack it; False where it cannot be had."""
    PLACE.mkdir(exist_ok=True)
    ran = subprocess.run([apt, "download", "-qq", "nginx"], cwd=PLACE, check=False, capture_output=True)
    package = next(PLACE.glob("nginx_*.deb"), None)
    if ran.returncode != 0 or package is None:
        return False
    return subprocess.run([dpkg, "-x", package, PLACE], check=False).returncode == 0


def main() -> int:
    """Find nginx or fetch it; never a reason to stop."""
    if PROGRAM.exists() or shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin"):
        return 0
    apt, dpkg = shutil.which("apt-get"), shutil.which("dpkg")
    if apt is None or dpkg is None or not fetch(apt, dpkg):
        print("No nginx was found: the test of docs/integrations/proxy.md that needs it is left out.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
