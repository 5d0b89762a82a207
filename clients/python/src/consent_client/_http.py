"""The HTTP library: httpx2, the maintained continuation of httpx, where it is installed, else httpx.

Both have the same interface as far as this package goes; every other module takes `httpx` from here.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx
else:
    try:
        import httpx2 as httpx
    except ImportError:
        import httpx

__all__ = ["httpx"]
