"""What the invented people are called and what they say. Nobody here exists."""

WOMEN = (
    "Naledi Ingrid Ruth Mireille Amara Yuki Leila Sofia Hannah Priya Camille Marisol Adaeze Freya "
    "Noor Teresa Wanjiru Elif Marta Aiyana Beatriz Siobhan Thandiwe Olga Carmen Ines Dalia Rosa"
).split()
MEN = (
    "Tomás Piotr Kwame Daniel Omar Mateo Hiroshi Samuel Andrei Rafael Lars Idris Joaquín Viktor "
    "Emeka Nikhil Gabriel Bao Elias Marcus Yusuf Anton Théo Malik Stefan Jonah Luca Desmond"
).split()
NEITHER = "Rowan Sasha Quinn Ari Noa Remy Sage Kai".split()
FAMILIES = (
    "Brandt Okafor Adeyemi Aydin Lindqvist Salcedo Castellanos Thibodeaux Oyelaran Moreau Tanaka "
    "Haddad Rivera Kowalski Mbeki Petrov Nguyen Goldberg Yazzie Fernandes Osei Campbell Ibrahim "
    "Novak Delgado Sorensen Banerjee Kimura Rahman Vasquez Achterberg Duarte Whitehorse Nakamura "
    "Ferreira Lindholm Bakare Chowdhury Marchetti Solano Abebe Winter Castro Lefebvre Arslan Park"
).split()

VOICES = (
    "I go slowly, and I will tell you why we do what we do.",
    "You do not have to tell it all at once. We begin where you are.",
    "I like plans that fit on a small card and survive a bad week.",
    "We can be serious about this and still laugh now and then.",
    "What you feel makes sense somewhere. We look for where.",
    "I ask a lot, and you may always say: not today.",
    "Small steps, often repeated, are how most things change.",
    "I listen first. Advice can wait until you want it.",
    "Your culture and your family come into the room with you, and they are welcome.",
    "I will be frank with you, and kind about it.",
    "Silence is allowed here. So is starting over.",
    "We agree on what we are doing, and check every few weeks whether it helps.",
)

ABOUT = (
    "In our first meeting we look at what brought you, what you have tried, and what a good few "
    "weeks would look like. You decide whether we go on.",
    "I work with people who carry a lot and rarely say so. We make room for it, and then for "
    "what you would rather do with your days.",
    "Before this I worked in a hospital for some years, so crises do not frighten me. Most of my "
    "work now is quiet and regular.",
    "I share what I know about how worry, sleep and mood work, and we try things out between "
    "meetings. You keep what helps.",
    "Some of my clients come for eight weeks, others stay for a year. We look at it together, and "
    "you can stop whenever you like.",
)

BOARDS = {
    "psychologist": "Board of Psychology",
    "counsellor": "Board of Licensed Professional Counselors",
    "clinical-social-worker": "Board of Social Work",
    "marriage-family-therapist": "Board of Marriage and Family Therapy",
    "psychiatrist": "Medical Board",
}

STORIES = (
    "I wake at four and then the thoughts start. I am tired of pretending it is fine.",
    "Since my father died I do everything as before, only it is all grey.",
    "My heart races on the bus and I get off before my stop. I have started walking to work.",
    "We have the same argument every Sunday. I would like to stop having it.",
    "I finish every list and still feel that I am about to be found out.",
    "I moved here for the job and I have not really spoken to anyone in weeks.",
    "The baby is well. I am not, and I am ashamed to say it.",
    "I drink on most evenings. Not a lot, but I notice that I wait for it.",
)
