"""Copy what the pages take from npm into static/vendor: styles, icons, scripts.

    python -m hub_config.frontend.vendor

.ci/prepare runs it after `npm ci`. Nothing is compiled; the icons that icons.txt names
are put together into one file, so that a page loads one picture, not fifty.
"""

import re
import shutil
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
MODULES: Final = HERE / "node_modules"
VENDOR: Final = HERE.parent / "static" / "vendor"
_SVG: Final = re.compile(
    r'<svg[^>]*viewBox="(?P<box>[^"]+)"[^>]*>(?P<inside>.*?)</svg>', re.DOTALL
)
_MAP: Final = re.compile(r"/\*# sourceMappingURL=.*?\*/")
_SCRIPT_MAP: Final = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)
# The terminal of runs, fetched when somebody opens one, and charts of use.
_SCRIPTS: Final = {
    "@xterm/xterm/lib/xterm.mjs": "xterm.mjs",
    "@xterm/xterm/css/xterm.css": "xterm.css",
    "@xterm/addon-fit/lib/addon-fit.mjs": "xterm-fit.mjs",
    "@xterm/xterm/LICENSE": "xterm.LICENSE.txt",
    "uplot/dist/uPlot.esm.js": "uplot.mjs",
    "uplot/dist/uPlot.min.css": "uplot.css",
    "uplot/LICENSE": "uplot.LICENSE.txt",
}


def icon_names() -> list[str]:
    """Return the icons that pages may use."""
    return (HERE / "icons.txt").read_text().split()


def sprite(folder: Path, names: list[str]) -> str:
    """Put icons together into one SVG file, a symbol for each."""
    symbols = "\n".join(_symbol(name, folder / f"{name}.svg") for name in names)
    return f'<svg xmlns="http://www.w3.org/2000/svg">\n{symbols}\n</svg>\n'


def copy_all(modules: Path = MODULES, into: Path = VENDOR) -> None:
    """Replace the folder of foreign files."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    style = (modules / "bootstrap/dist/css/bootstrap.min.css").read_text()
    # The map stays behind: a browser's tools would ask for it in vain.
    (into / "bootstrap.min.css").write_text(_MAP.sub("", style))
    icons = sprite(modules / "bootstrap-icons/icons", icon_names())
    (into / "icons.svg").write_text(icons)
    for source, name in _SCRIPTS.items():
        text = (modules / source).read_text()
        (into / name).write_text(_SCRIPT_MAP.sub("", text))
    for package in ("bootstrap", "bootstrap-icons"):
        shutil.copyfile(modules / package / "LICENSE", into / f"{package}.LICENSE.txt")


def _symbol(name: str, file: Path) -> str:
    found = _SVG.search(file.read_text())
    if found is None:
        raise ValueError(f"{file} is no SVG picture")
    inside = " ".join(found["inside"].split())
    return f'<symbol id="{name}" viewBox="{found["box"]}">{inside}</symbol>'


if __name__ == "__main__":
    copy_all()
