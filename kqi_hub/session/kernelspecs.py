"""The kernels on offer: the site's own, and those of the person's environments.

Notebooks from everywhere ask for `python3`. In a session for which an environment was
chosen that means its Python; the site's own is there under a name of its own.
"""

import time
from pathlib import Path
from typing import ClassVar, Final

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager, NoSuchKernel

from kqi_hub.runner.kernels import BROKEN, conda_kernels, publish

# An environment that is made while the notebook runs appears without a restart.
_FRESH_S: Final = 5.0
_USUAL: Final = "python3"
_SITE: Final = "site-python3"


class KernelSpecs(KernelSpecManager):
    """Looks at the environments again before it lists kernels."""

    environments: ClassVar[Path]
    data: ClassVar[Path]
    # The kernel of the chosen environment; `python3` for none.
    chosen: ClassVar[str] = _USUAL
    _looked_at = 0.0

    def find_kernel_specs(self) -> dict[str, str]:
        """Return the folders of all kernels by name."""
        if time.monotonic() - self._looked_at > _FRESH_S:
            self._looked_at = time.monotonic()
            try:
                publish(conda_kernels(self.environments), self.data)
            except OSError as error:
                self.log.warning("Kernels of environments cannot be shown: %s", error)
        found = dict(super().find_kernel_specs())
        if self.chosen in found and self._is_python_chosen():
            found |= {_USUAL: found[self.chosen], _SITE: found.get(_USUAL, "")}
        return found

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return one of them; NoSuchKernel."""
        wanted = kernel_name.lower()
        if wanted not in (_USUAL, _SITE) or not self._is_python_chosen():
            return super().get_kernel_spec(wanted)
        if wanted == _SITE:
            site = super().get_kernel_spec(_USUAL)
            site.display_name = "Python 3 (the site's own)"
            return site
        spec = super().get_kernel_spec(self.chosen)
        ours = spec.metadata["kqi"]
        spec.display_name = f"Python 3 (chosen: {Path(ours['prefix']).name})"
        if "broken" in ours:
            spec.display_name += BROKEN
        return spec

    def _is_python_chosen(self) -> bool:
        """Tell whether an environment's Python was chosen, and is there."""
        if self.chosen == _USUAL:
            return False
        try:
            spec = super().get_kernel_spec(self.chosen)
        except NoSuchKernel:
            return False
        return bool(spec.language == "python" and "kqi" in spec.metadata)
