"""What each consent allows, what taking it back stops at once, and what the law keeps."""

import uuid
from dataclasses import dataclass

from practice.consent.models import Purpose


@dataclass(frozen=True)
class PurposeTerms:
    """The words of one purpose, said before signing and before taking back."""

    label: str
    allows: str
    stops_now: str
    law_keeps: str

    @property
    def effect(self) -> str:
        """What a revocation records as its effect."""
        return f"{self.stops_now} {self.law_keeps}"


PURPOSES = {
    Purpose.privacy_notice: PurposeTerms(
        label="Privacy notice",
        allows="We may hold your answers in order to find someone for you, as the notice says.",
        stops_now=(
            "We stop working with your answers: no new matches, no new requests, and nobody new "
            "sees anything of yours."
        ),
        law_keeps=(
            "What we must be able to show for six years stays on file, closed: that you read the "
            "notice, and who looked at your data."
        ),
    ),
    Purpose.assessment: PurposeTerms(
        label="Assessment and safety contact",
        allows=(
            "We may ask about your health, score two questionnaires, and have the clinician on "
            "duty contact you when an answer worries us."
        ),
        stops_now=(
            "We ask no more questions, your scores no longer count in any match, and no therapist "
            "sees them who does not treat you already."
        ),
        law_keeps=(
            "A worry about your safety that is open stays with the clinician on duty until it is "
            "closed. Scores in a therapist's record stay there as long as records must be kept."
        ),
    ),
    Purpose.treatment: PurposeTerms(
        label="Treatment",
        allows="This therapist may meet you, read what you shared, and keep a record.",
        stops_now=(
            "Your care with this therapist ends: meetings still ahead are cancelled, and they no "
            "longer see your record or anything you shared."
        ),
        law_keeps=(
            "The record of what has happened must be kept for the years that your state sets. It "
            "is closed apart from the therapist's last notes, for at most 30 days. A note that "
            "comes later can only be handed in, and shows the therapist nothing."
        ),
    ),
    Purpose.group: PurposeTerms(
        label="Group",
        allows="You take part in this group, and its leader sees that you do.",
        stops_now=(
            "You no longer take part: the group and its leader are shown nothing new about you."
        ),
        law_keeps=(
            "That you took part, and what you paid, stays on file as long as the law asks. What "
            "others heard cannot be taken back. Leaving your seat shows what is refunded."
        ),
    ),
    Purpose.learning: PurposeTerms(
        label="Learning from how it went",
        allows=(
            "The sums of your two questionnaires, at the start and later, may count when we work "
            "out, from many people together, with whom people like you got on better. You need "
            "not agree to it."
        ),
        stops_now=(
            "From the next daily count on, at the latest a day later, your questionnaires no "
            "longer count in any therapist's figures. Your care goes on as it is."
        ),
        law_keeps="Only the proof that you agreed and took it back stays on file.",
    ),
}


def therapist_scope(therapist: uuid.UUID) -> str:
    return f"therapist:{therapist}"


def group_scope(group: uuid.UUID) -> str:
    return f"group:{group}"
