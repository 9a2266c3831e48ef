"""Who is let in, by what, and how far they are trusted."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from cabinet.config.values import MODELS, Amount, Positive, Section


class Identity(Section):
    faces: bool = True
    codes: bool = True  # signed tokens, and cards where they are allowed
    cards: bool = True  # printed codes of members: whoever has one can open the cabinet, so they are limited
    card_hold_minor: Amount = 1_000  # a card lets its member in for at most this
    card_visits_per_day: Annotated[int, Field(ge=0, le=1000)] = 3  # of one member
    issuer_keys_file: Path | None = None  # public keys that may sign tokens for any member; None: members' own alone
    nonce_s: Annotated[float, Field(ge=10, le=600)] = 60.0  # the screen shows another nonce so often; two are valid
    false_match: Annotated[float, Field(gt=0, le=0.01)] = (
        1e-4  # a stranger's chance to be taken for anybody, face alone
    )
    false_match_digits: Annotated[float, Field(gt=0, le=0.01)] = 1e-5  # the same, with digits
    face_distance: Annotated[float, Field(gt=0.2, lt=0.6)] = 0.5  # by face alone never farther, whatever the budget
    face_margin: Annotated[float, Field(ge=0, lt=0.3)] = 0.05  # to the next member
    agreeing_frames: Annotated[int, Field(ge=1, le=10)] = 2
    stranger_frames: Annotated[int, Field(ge=1, le=30)] = 5
    digits: Literal["never", "when unsure", "always"] = "when unsure"  # the last four of the telephone number
    liveness: Literal["off", "passive", "challenge"] = "challenge"  # challenge: turn the head where the model is unsure
    live_model: Path = MODELS / "face-live"  # folder with model.toml
    min_age: Annotated[int, Field(ge=0, le=150)] = 0  # whoever has shown no proof of it is not let in; 0: everybody
    face_worker_rest_s: Positive = 600.0  # the face library's 200 MB are given back after so long without a face
    keep_face_days: Positive = (
        1095.0  # templates of a member who has not come for so long are forgotten (BIPA: 3 years)
    )
    members_days: Positive = 7.0  # the cloud's list of members may be so old


class Risk(Section):
    """Whom to let in, beside the cloud's word; `cabinet.identity.risk` says how."""

    limit_minor: Amount = 5_000  # of a visit, for a member in good standing
    new_limit_minor: Amount = 2_000  # until the first paid visit or a verified identity
    least_trust: Annotated[int, Field(ge=0, le=100)] = 20  # below: refused
    digits_below_trust: Annotated[int, Field(ge=0, le=100)] = 50
    restore_days: Positive = 30.0  # half of what a member's misconduct has cost is forgiven after so long
    visits_per_hour: Annotated[int, Field(ge=1, le=1000)] = 6  # of one member; more: refused
    night: tuple[Annotated[int, Field(ge=0, le=23)], Annotated[int, Field(ge=0, le=23)]] = (0, 0)  # hours; digits then
