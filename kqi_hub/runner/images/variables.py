"""The variables of a command in an image: the image's outrank the node's."""

from collections.abc import Mapping
from typing import Final

from kqi_hub.runner.images.gpu_libraries import INSIDE

_USUAL_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# They name programs and files of the node, which are not there.
_OF_THE_NODE: Final = (
    "PATH", "LD_", "MANPATH", "INFOPATH", "MODULE", "LMOD_", "LOADEDMODULES", "CONDA_",
    "PYTHON", "PERL", "PKG_CONFIG", "CPATH", "LIBRARY_PATH", "BASH_ENV", "BASH_FUNC_",
    "SSL_CERT", "REQUESTS_CA", "CURL_CA", "SHELL", "EDITOR", "PAGER", "XDG_",
)  # fmt: skip
# Who runs the command, and where, no image decides.
_NOT_ITS_OWN: Final = frozenset({"HOME", "USER", "LOGNAME", "HOSTNAME"})


def variables_in_image(
    environ: Mapping[str, str], of_image: Mapping[str, str], *, has_gpus: bool
) -> dict[str, str]:
    """Return what a job began with as an image sees it, and what the image sets."""
    found = {
        name: value
        for name, value in environ.items()
        if not name.startswith(_OF_THE_NODE)
    }
    found |= {"PATH": _USUAL_PATH, "SHELL": "/bin/bash"}
    found |= {
        name: value
        for name, value in of_image.items()
        if name not in _NOT_ITS_OWN and not name.startswith(("SLURM", "KQI_"))
    }
    if has_gpus:
        found["PATH"] += f":{INSIDE}/bin"
        # Before the image's own, which may be stubs to link against.
        paths = (f"{INSIDE}/lib", found.get("LD_LIBRARY_PATH", ""))
        found["LD_LIBRARY_PATH"] = ":".join(filter(None, paths))
    return found
