"""Everything that is kept about a client, one entry for each kind, in plain words.

The page "Your data", the erasure and the retention schedule rest on this list; a convention test
finds every table that refers to a client and is in none of the entries.
"""

from dataclasses import dataclass
from enum import StrEnum

from practice.privacy.models import Because
from practice.privacy.retention import (
    YEARS_OF_AUDIT,
    YEARS_OF_PAYMENT,
    YEARS_OF_PROOF,
    Rule,
)


class Where(StrEnum):
    """Places that know something. Nobody else does."""

    here = "here"
    payment_company = "payment_company"
    mail_server = "mail_server"


@dataclass(frozen=True)
class Holding:
    """One kind of data. `key` is its anchor on the page and in a restriction.

    `rests_on` names the agreement or the ground; `keeps` says for how long while the account is
    in use; `after` what being forgotten does to it; `mend` where it can be seen or corrected.
    """

    key: str
    heading: str
    what: str
    why: str
    rests_on: str
    who: str
    keeps: str
    after: str
    tables: tuple[str, ...]
    rule: Rule | None = None
    mend: str = ""
    places: tuple[Where, ...] = (Where.here,)


AS_LONG_AS_YOU_ARE_HERE = "As long as you have an account here, or until you have it erased."
THE_STATE_SAYS = "After the care has ended, for the years that the state sets; the page says which."

HOLDINGS = (
    Holding(
        key="account",
        heading="How you sign in",
        what="Your e-mail address, a scrambled form of your password, passkeys and codes if you "
        "use them, and the browsers you are signed in on.",
        why="So that nobody but you comes in, and you can see from where somebody did.",
        rests_on="What you asked for by opening an account",
        who="Only you. Your therapist sees the address, and so does the clinician on duty if an "
        "answer worries us.",
        keeps=f"{AS_LONG_AS_YOU_ARE_HERE} Ended browsers, used links and earlier addresses go "
        "after 30 days.",
        after="Goes at once. If a worry about your safety is open and we have no telephone "
        "number, the address stays until it is closed.",
        tables=(
            "users",
            "user_roles",
            "sign_in_sessions",
            "email_tokens",
            "kept_forms",
            "passkeys",
            "authenticator_apps",
            "recovery_codes",
            "passkey_challenges",
            "half_sign_ins",
            "email_changes",
            "factor_resets",
        ),
        rule=Rule.sign_in_ended,
        mend="accounts.account",
        places=(Where.here, Where.mail_server),
    ),
    Holding(
        key="person",
        heading="What to call you and how to reach you",
        what="The name you gave, your telephone number, the place you are in, and its clock.",
        why="To speak to you by your name, to ring if we worry, and because a licence counts for "
        "one place.",
        rests_on="Privacy notice",
        who="You, a therapist who treats you, and the clinician on duty if an answer worries us.",
        keeps=AS_LONG_AS_YOU_ARE_HERE,
        after="The telephone number goes at once. Name and place stay with a record of care that "
        "the law keeps, and go with it.",
        tables=("clients",),
        mend="accounts.account",
    ),
    Holding(
        key="answers",
        heading="Your answers",
        what="What brings you here in your own words, your answers to the questions, where and "
        "when you could meet, what you wish for, how you would like to pay, and what you chose to "
        "state about yourself.",
        why="To find therapists who may work where you are and who fit what you asked for; and to "
        "count, over many people at once, whether groups of people fare alike and how therapists "
        "are found.",
        rests_on="Privacy notice",
        who="Only you. A therapist sees what you choose to share, and only that.",
        keeps="As long as you have an account here. Questions you began and did not finish go "
        "90 days after your last answer.",
        after="Goes at once, and can never be read again, not even in our backups.",
        tables=("intakes", "intake_answers"),
        rule=Rule.unfinished_intakes,
        mend="intake.check",
    ),
    Holding(
        key="scores",
        heading="Your scores",
        what="What the two questionnaires add up to, with the answers behind the sum.",
        why="To offer therapists who work with that, and for your therapist to see how you are.",
        rests_on="Assessment and safety contact",
        who="You, and a therapist with whom you have signed a treatment consent. If you agreed to "
        "learning from how it went, a program adds their sums to those of many others once a day; "
        "what is kept of that is about therapists, and nothing in it is yours alone.",
        keeps=AS_LONG_AS_YOU_ARE_HERE,
        after="Scores that a therapist treated you by are part of the record of care and stay as "
        "long as it must. All others go at once.",
        tables=("assessments",),
        rule=Rule.clinical_records,
        mend="intake.result",
    ),
    Holding(
        key="flags",
        heading="Worries about your safety",
        what="That an answer pointed to danger, who read it, when somebody tried to reach you, "
        "and how it ended.",
        why="So that somebody looks after you, and nobody forgets to.",
        rests_on="Assessment and safety contact",
        who="Clinicians on duty and the clinical lead.",
        keeps=THE_STATE_SAYS,
        after="One that is open stays with the clinician on duty until it is closed. A closed one "
        "is part of the record of care.",
        tables=("risk_flags", "flag_readings", "flag_contacts", "flag_outcomes"),
        rule=Rule.clinical_records,
    ),
    Holding(
        key="matches",
        heading="Who was shown to you, and why",
        what="Each list of therapists you were shown, each sum you were told of somebody else, and "
        "what a person who looked again was shown, with what decided it, so that it can be worked "
        "out again to the point; whether you asked to be told when somebody is free; and "
        "when you asked a person to look again, what you wrote and what they answered.",
        why="So that you, or a person you ask, can check how it came about; and to count, over "
        "many people at once, how therapists are found.",
        rests_on="Privacy notice",
        who="Only you; and while you ask a person to look again, the clinical lead. With the "
        "number of a list, an administrator can have its points worked out again, without your "
        "answers and without your name; that stands under “Who opened your record”. New weights "
        "are tried out on past lists by the machine, which shows nothing of a single person.",
        keeps=AS_LONG_AS_YOU_ARE_HERE,
        after="Goes at once.",
        tables=("proposals", "match_alerts", "match_reviews", "match_review_suggestions"),
        mend="matches.index",
    ),
    Holding(
        key="waiting",
        heading="That you wait for a place",
        what="Since when you are on the waiting list and how that ended; and what was worked out "
        "for you: how urgent it is, which therapists fit and how closely, whom the clinical lead "
        "proposed, offered or did not propose, and what you answered.",
        why="To find a place for you among all who wait.",
        rests_on="Privacy notice, and assessment and safety contact",
        who="You and the clinical lead, while you wait.",
        keeps="What was offered to you as long as you have an account here; what was only worked "
        "out until the next time, or until you leave the list.",
        after="Goes at once, and a place that is kept for you goes back.",
        tables=("waiting_entries", "waiting_placements"),
        mend="waiting.index",
    ),
    Holding(
        key="requests",
        heading="Whom you asked, and what you shared",
        what="Your requests to therapists, exactly what you chose to share with each, and their "
        "replies.",
        why="So that they can answer you.",
        rests_on="Privacy notice, and your choice each time",
        who="You and the therapist you asked.",
        keeps=AS_LONG_AS_YOU_ARE_HERE,
        after="One that is waiting is withdrawn. One that led to care is part of its record. All "
        "others go at once.",
        tables=("match_requests",),
        rule=Rule.clinical_records,
        mend="matches.index",
    ),
    Holding(
        key="care",
        heading="Your care",
        what="With whom you were in care, from when to when, your meetings, and the last notes "
        "that a therapist writes when care ends.",
        why="To arrange meetings, and because a record of care must be kept.",
        rests_on="Treatment consent",
        who="You and your therapist, and their supervisor if your consent says so. After the end "
        "the therapist for 30 days, to write the last notes; then only the records custodian, to "
        "whom a late note is handed.",
        keeps=THE_STATE_SAYS,
        after="Care that goes on ends and meetings ahead are cancelled. The record stays closed "
        "for the years that the state sets, then it goes by itself.",
        tables=("episodes", "appointments", "closing_notes"),
        rule=Rule.clinical_records,
        mend="today.today",
    ),
    Holding(
        key="groups",
        heading="Groups",
        what="Which groups you asked to join or have a seat in, the name you chose there, and what "
        "you wrote to the leader.",
        why="To keep your seat, and for the leader to know who takes part.",
        rests_on="Group consent",
        who="You and the leaders of that group.",
        keeps=f"{THE_STATE_SAYS} Groups led by people of lived experience keep no such record.",
        after="Seats are given up and money goes back by the group's rule. A seat you had in a "
        "group led by a professional is a record of care; all else goes at once.",
        tables=("enrolments", "screening_decisions"),
        rule=Rule.clinical_records,
        mend="groups.catalogue",
    ),
    Holding(
        key="payments",
        heading="Payments",
        what="What you paid, when, and what went back. Card numbers never reach us.",
        why="To take and give back money, and because books must be kept.",
        rests_on="What you bought, and tax law",
        who="You. Whoever keeps the books sees amounts and numbers, not what for.",
        keeps=f"{YEARS_OF_PAYMENT} years after the payment.",
        after=f"Stays for {YEARS_OF_PAYMENT} years without your name. An order that was never "
        "paid goes as soon as it can no longer be.",
        tables=("payers", "orders", "charges", "refunds"),
        rule=Rule.payment_records,
        places=(Where.here, Where.payment_company),
    ),
    Holding(
        key="consents",
        heading="What you agreed to",
        what="Each text you signed, when and how, and each agreement you took back.",
        why="To act only on what you agreed to, and to be able to show it.",
        rests_on="The law asks for it (45 CFR 164.530(j))",
        who="You. Your therapist sees whether your consent to treatment stands.",
        keeps=f"{YEARS_OF_PROOF} years after it was last in force.",
        after=f"All are taken back. The proof stays closed for {YEARS_OF_PROOF} years.",
        tables=("signatures", "revocations"),
        rule=Rule.consent_proof,
        mend="consent.index",
    ),
    Holding(
        key="openings",
        heading="Who opened your record",
        what="Each time somebody opened something of yours: who, when, in what role and why.",
        why="So that nobody looks unseen.",
        rests_on="The law asks for it (45 CFR 164.312(b))",
        who="You. Administrators see that a record was opened and by whom, not whose or what.",
        keeps=f"As long as you have an account here, and at least {YEARS_OF_AUDIT} years.",
        after="The lines stay and can still be proven complete; your name in them goes at once. "
        "What was written down about opening your record in an emergency stays as long as the "
        "record.",
        tables=(
            "audit_entries",
            "audit_concerns",
            "emergency_openings",
            "opening_decisions",
            "opening_reviews",
            "notice_delays",
            "record_lookups",
        ),
        rule=Rule.audit,
        mend="privacy.openings",
    ),
    Holding(
        key="mails",
        heading="Mails we sent you",
        what="Your address and neutral words: that something waits, never what.",
        why="To tell you that something waits.",
        rests_on="What you asked for by opening an account",
        who="The mail server that carries them, and whoever runs it.",
        keeps="30 days.",
        after="Copies go at once, save of one last mail that says your account is closed.",
        tables=("outbox_messages", "kept_mails"),
        rule=Rule.mails,
        places=(Where.here, Where.mail_server),
    ),
    Holding(
        key="wishes",
        heading="What you asked us about your data",
        what="That you asked to be forgotten, when it was done, what had to stay and until when; "
        "whether the law stopped a deletion; and the keys that open what is sealed.",
        why="To do what you asked, and to do it again if a backup is ever restored.",
        rests_on="The law asks for it (GDPR Article 5(2))",
        who="You, by your reference.",
        keeps="For good: it holds nothing but numbers and dates.",
        after="Your reference stays. The keys go, and with them everything they open.",
        tables=("erasure_requests", "restrictions", "legal_holds", "erasures", "data_keys"),
    ),
)
BY_KEY = {holding.key: holding for holding in HOLDINGS}

# Tables that refer to people who sign in, and why none of their rows is about a client.
NOT_ABOUT_CLIENTS = {
    "duty_shifts": "who of the staff is on duty",
    "consent_documents": "public texts, and which administrator published them",
    "reach_reports": "for each therapist, figures of many people, with noise and in tens",
    "weights_versions": "the organisation's own decision about matching",
    "weights_previews": "figures of groups, and which administrator asked for them",
    "waiting_runs": "figures of a whole waiting list, and which lead asked for them",
    "track_record_reports": "figures of everybody together",
    "track_record_decisions": "the organisation's own decision about matching",
    "track_record_agreements": "what a therapist agreed to about themselves",
    "track_records": "figures about a therapist, from fifteen clients and more together",
    "market_changes": "which therapist something changed about, for a while",
    "therapists": "what a therapist publishes about themselves",
    "applications": "a therapist's wish to be listed",
    "licences": "a therapist's right to practise",
    "weekly_hours": "when a therapist works",
    "licence_checks": "what a board says about a therapist",
    "npi_checks": "what a registry says about a therapist",
    "decisions": "what was decided about a therapist's papers",
    "reversals": "a second look at such a decision",
    "groups": "what a group is, and who of the staff set it up",
    "group_leads": "who leads a group",
    "group_sessions": "when a group meets",
    "ledger_entries": "seals over lines of the log: digests and pseudonyms, nobody's name",
    "role_proposals": "who is to work here in which role, and who of the staff agreed",
    "retention_runs": "how many rows the schedule let go, and which administrator ran it",
}

WHERE_WORDS = {
    Where.here: (
        "This organisation's own server",
        "Everything below is here, most of it sealed: whoever stole the disk could not read it.",
    ),
    Where.payment_company: (
        "The payment company",
        "Learns an amount, your card, and a number that means nothing to it. Not your name from "
        "us, and nothing of what it was for but “Group programme”.",
    ),
    Where.mail_server: (
        "The mail server",
        "Carries mails to your address. They say that something waits, never what.",
    ),
}
NOWHERE = "Nobody else. No advertising, no analytics, no other site learns that you were here."

STAYS_BECAUSE = {
    Because.clinical_record: "the state has records of care kept",
    Because.consent_proof: "we must be able to show what was agreed to",
    Because.payment_record: "books must be kept",
    Because.open_payment: "a payment may still be on its way; then it goes, or becomes a record",
    Because.open_flag: "a clinician still wants to make sure you are safe",
    Because.legal_hold: "legal proceedings forbid deleting it until they are over",
}
# Where only a part of a kind stays, what part it is.
OF_WHICH = {
    ("account", Because.open_flag): "Your e-mail address",
    ("person", Because.open_flag): "Your name, and your telephone number if we have it",
    ("person", Because.clinical_record): "Your name and place",
}
