"""The project that the page about Django begins with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

subprocess.run([sys.executable, "-m", "django", "startproject", "mysite", "."], check=True)
Path("mysite/settings.py").rename("mysite/base.py")
subprocess.run([sys.executable, "-m", "django", "startapp", "shop"], check=True)
Path("shop/tests.py").unlink()
