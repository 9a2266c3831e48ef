"""Whoever stands before the camera: when they are greeted, and when they are left in peace."""

from typing import Final

from cabinet.ports import Frame
from cabinet.session.states import Authenticating, Idle, State
from cabinet.vision.presence import Presence

RETRY_S: Final = 4.0  # who was not recognised and stays is tried again
LINGER_S: Final = 15.0  # who has just shopped and stays is not greeted again at once


class Standing:
    def __init__(self) -> None:
        self._presence = Presence()
        self._not_before_s = float("-inf")  # when somebody who stays is greeted again
        self._was_idle = True

    def see(self, frame: Frame, state: State) -> bool:
        """One more frame: is somebody there."""
        was_present = self._presence.present
        present = self._presence.update(frame.picture, frame.at_s)
        self._mind_the_visit(frame.at_s, state)
        if not present and was_present:
            self._not_before_s = float("-inf")  # whoever comes next is somebody else
        return present

    def greet(self, at_s: float) -> bool:
        """Whether it is time to greet whoever is there; then not again at once."""
        if at_s < self._not_before_s:
            return False
        self._not_before_s = at_s + RETRY_S
        return True

    def wait(self, until_s: float) -> None:
        """Whoever stays is not greeted before that."""
        self._not_before_s = max(self._not_before_s, until_s)

    def _mind_the_visit(self, at_s: float, state: State) -> None:
        """After a visit whoever still stands there has shopped; after an attempt they may try again soon."""
        idle = isinstance(state, Idle)
        if idle and not self._was_idle and self._presence.present:
            self.wait(at_s + LINGER_S)
        self._was_idle = idle or isinstance(state, Authenticating)
