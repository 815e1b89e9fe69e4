# ruff: noqa: RUF001
"""Text that cannot be what is printed is told from text in any language, by numbers, codes and lines to sign on."""

from __future__ import annotations

import pytest

from playground.documents.formats.legibility import GARBLED_SHARE, WARNED_SHARE, is_plausible, legibility

ENGLISH = (
    "The Supplier shall deliver the Goods within 30 days of the order. All prices are in USD and exclude VAT (20%); "
    "see section 4.2(b)(iii) and https://www.example.com/terms?x=1. Contact: returns@example.com, SKU XK-2201/7."
)
# The first article of the declaration of human rights, or part of it: languages with few vowels, long runs of
# consonants, accents and other scripts.
LANGUAGES = {
    "Czech": "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv. Jsou nadáni rozumem a svědomím.",
    "Polish": "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw, obdarzeni rozumem.",
    "German": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Geschäftsschluss, Rechtsschutz, GmbH.",
    "Croatian": "Sva ljudska bića rađaju se slobodna i jednaka u dostojanstvu i pravima. Krv, vrt, smrt, trg, prst.",
    "Welsh": "Genir pawb yn rhydd ac yn gydradd â'i gilydd mewn urddas a hawliau. Cwm, twll, crwth, ysgwydd, llwynog.",
    "Vietnamese": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi, có lý trí.",
    "Russian": "Все люди рождаются свободными и равными в своём достоинстве и правах, наделены разумом и совестью.",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα, με λογική.",
    "Arabic": "يولد جميع الناس أحرارا متساوين في الكرامة والحقوق وقد وهبوا عقلا وضميرا وعليهم أن يعاملوا بعضهم.",
    "Hindi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
    "Chinese": "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。",
    "Chinese, Taiwan": "人人生而自由,在尊嚴和權利上一律平等。他們賦有理性和良心,並應以兄弟關係的精神相對待。",
    "Japanese": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "Korean": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
}


def shifted(text: str, by: int) -> str:
    """Return text as it is read from a font whose codes are glyph numbers."""
    return "".join(c if c.isspace() else chr(max(33, ord(c) + by)) for c in text)


@pytest.mark.parametrize("text", [ENGLISH, *LANGUAGES.values()], ids=["English", *LANGUAGES])
def test_text_of_a_language_is_left_alone(text: str) -> None:
    assert legibility(text).share < WARNED_SHARE / 2


@pytest.mark.parametrize(
    "text",
    [
        "Signed: ______________________   Name: ______________________   Date: ____/____/________",
        "1. Definitions ......................... 3\n2. Term ............................... 14\n3. Fees .... 20",
        "XXXXXXXXX XXXXXXXXXXXX XXXXXX [***] [***] ************ XXXXXXXXXX XXXXXXXXXXXXX XXXXXXXXX XXXXXXX",
        "MOTOR-WIPER,CAPTAIN [*****] [*****] SERVO VALVE [*****] [*****] PANEL-ATTENDANT [*****] [*****] SWITCH",
        "| 12.50 | 1,200.00 | 3 % | $45.99 | (12.00) | 10/12/2025 | 14:30 | +44 20 7946 0000 | 33.1 | 17-B |",
        "\uf0b7 first\n\uf0b7 second\n\uf0b7 third item of a list with marks of the Symbol font\n\uf0a7 fourth",
    ],
)
def test_forms_tables_and_lists_are_left_alone(text: str) -> None:
    assert legibility(text).share < WARNED_SHARE


@pytest.mark.parametrize(
    "text",
    [
        shifted(ENGLISH, -29),
        shifted(ENGLISH, -31),
        "".join(c if c.isspace() else c * 2 for c in ENGLISH),
        "".join(chr(0xE000 + ord(c)) if c.isalnum() else c for c in ENGLISH),
        "".join("\x00" if c.isalpha() else c for c in ENGLISH),
        "".join(chr(ord(c) % 32) if c.isalpha() else c for c in ENGLISH),
        "退货䅍策Y鹖鶈鱀w醰魙㔪頼退-嶞运费ꎩ鉝䇈㺌㻒嶞鞘䶵龗" * 3,
    ],
    ids=["shifted", "shifted more", "doubled", "private use", "unknown", "controls", "Chinese"],
)
def test_what_no_language_has_is_garbled(text: str) -> None:
    found = legibility(text)
    assert found.share >= GARBLED_SHARE
    assert found.example.isprintable()
    assert 0 < len(found.example) <= 40


def test_the_share_is_that_of_the_characters() -> None:
    sound, doubled = "delivered within thirty days of purchase", "rreeffuunnddss"
    found = legibility(f"{sound} {doubled}")
    assert found.share == pytest.approx(14 / (14 + len(sound.replace(" ", ""))))
    assert found.example == doubled


def test_a_page_with_hardly_any_text_is_not_judged() -> None:
    assert legibility("rrttzz 7KH").share == 0


@pytest.mark.parametrize(
    "word", ["strengths", "Schmerz", "GMBH", "xviii", "§4(b)", "AT&T", "O'Brien", "iPhone", "a/b/c", "µm", "H2O", "—"]
)
def test_odd_words_that_are_words(word: str) -> None:
    assert is_plausible(word)


@pytest.mark.parametrize(
    "word", ["tthhee  cclloocckk".split()[1], "bcdfg", "a^b", "aBcDeFg", "\u041fart\u043der", "\ue001\ue002"]
)
def test_words_that_are_none(word: str) -> None:
    assert not is_plausible(word)
