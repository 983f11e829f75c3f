"""Whether the plate on a video is dark or light.

It is settled by the first frame, and changes only after a cut or when the picture under
it has long been of the other kind.
"""

from __future__ import annotations

from .plate import BRIGHT

__all__ = ["Tone"]

# A plate is kept for so long, and while the ground's tone, 0 to 255, is not that far on
# the other side of `BRIGHT`. After a cut it changes while the eye has not settled yet,
# but not for a flash.
_HYSTERESIS = 20
_PATIENCE_S = 2.0
_CUT = 40
_CUT_PATIENCE_S = 0.15


class Tone:
    """Whether the plate is light, in the course of a clip."""

    def __init__(self) -> None:
        self.light: bool | None = None
        self._ground = 0.0
        self._changed_s = self._fitting_s = self._patience_s = 0.0

    def settle(self, ground: float, time_s: float) -> bool:
        """Return whether it is light on a ground of some tone, 0 to 255."""
        if self.light is None:
            self.light = ground >= BRIGHT
            self._changed_s = time_s
        if self._fits(ground):
            self._fitting_s = time_s
        else:
            if self._fits(self._ground):
                cut = abs(ground - self._ground) >= _CUT
                self._patience_s = _CUT_PATIENCE_S if cut else _PATIENCE_S
            due_s = max(
                self._fitting_s + self._patience_s, self._changed_s + _PATIENCE_S
            )
            if time_s >= due_s:
                self.light = not self.light
                self._changed_s = self._fitting_s = time_s
        self._ground = ground
        return self.light

    def _fits(self, ground: float) -> bool:
        beyond = BRIGHT - ground if self.light else ground - BRIGHT
        return beyond < _HYSTERESIS
