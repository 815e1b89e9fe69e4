"""A safety net beside the models: wordings so plain that a label is certain whatever a model thinks of them.

A model that learnt from long contracts can pass over "without any limit" in a letter of one page. These rules cannot,
and they find nothing else: they are no flagger. A flag that only a rule gave says so wherever it is shown.

Every repetition has an upper bound and only the first 20,000 characters of a clause are searched, so that no text makes
a search slow. ``[^.;]`` keeps a gap within a sentence.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from playground.text.sentences import sentence_spans

MOST_CHARACTERS = 20_000
SHORT_CHARACTERS = 240
"""A clause of so many characters is searched as one: what is said in two short sentences belongs together."""

_MONEY = (
    r"(?:(?:[$£€]|usd|eur|gbp|us\$|dollars?|euros?|pounds?|rs\.?) ?\d[\d,.]{0,14}"
    r"|\d[\d,.]{0,14} ?(?:[$£€]|usd|eur|gbp|dollars?|euros?|pounds?)"
    r"|\d[\d,.]{0,6} ?(?:%|per ?cent))"
)
_EACH = r"(?:per|for each|for every|each|every|a)"
_TIME = r"(?:(?:calendar|working|business|full) )?(?:day|week|hour|month)"
_LOSS = (
    r"(?:liabilit(?:y|ies)|liable|indemnif\w{1,5}|indemnit\w{1,3}|hold\w{0,3} harmless|responsib\w{2,5}|answerable"
    r"|losses|compensat\w{1,6}|makes? good)"
)
_INTEREST = (
    r"\b(?:interest|hourly|late fee|premium)\b"
    r"|\b(?:late|overdue|unpaid|delayed) (?:payments?|amounts?|invoices?|sums?|royalt)|\bpa(?:id|ys?) late\b"
)
"""Of late payment: the price of credit, no damages."""
_SHALL = r"(?:shall|must|will|agrees? to|undertakes? to|is (?:required|obliged) to|needs? to|ha(?:s|ve) to)"
_SHALL_NOT = r"(?:(?:shall|may|must|will|can|do|does|would)(?: not|not|n't)|agrees? not to|won't|never|neither|nor)"


@dataclass(frozen=True)
class Rule:
    """``name`` says to a reader what was found.

    ``wording`` and all of ``beside`` have to be found in one sentence, in any order; ``unless`` must not.
    """

    name: str
    label: str
    wording: str
    unless: str = ""
    beside: tuple[str, ...] = ()

    def holds(self, sentence: str) -> bool:
        """Tell whether the rule holds for a sentence whose runs of white space are single spaces."""
        return all(wanted.search(sentence) for wanted in self._wanted) and not (
            self.unless and self._unless.search(sentence)
        )

    @cached_property
    def _wanted(self) -> tuple[re.Pattern[str], ...]:
        return tuple(re.compile(wanted, re.IGNORECASE) for wanted in (self.wording, *self.beside))

    @cached_property
    def _unless(self) -> re.Pattern[str]:
        return re.compile(self.unless, re.IGNORECASE)


_NO_LIMIT = (
    r"(?:without (?:any |an? )?(?:upper |monetary |financial )?(?:limit|cap|ceiling|maximum)\b"
    r"|without (?:any )?(?:limitation|restriction) (?:as to|in|of) (?:the )?amount"
    r"|(?<!not )(?<!not be )\b(?:unlimited|uncapped|unrestricted)\b"
    r"|\b(?:without limitation\W{0,3}$|however (?:large|high|great)\b|whatever the amount\b)"
    r"|\b(?:no|not subject to any) (?:upper |monetary |financial |dollar )?(?:limit|cap|ceiling)\b)"
)
RULES: tuple[Rule, ...] = (
    Rule(
        "liability without limit",
        "Uncapped Liability",
        rf"\b{_LOSS}\b[^.;]{{0,120}}{_NO_LIMIT}|{_NO_LIMIT}[^.;]{{0,60}}\b{_LOSS}\b",
        unless=r"unlimited (?:liability )?(?:company|corporation|partnership)"
        r"|no (?:limit|cap) (?:of|in) (?:time|coverage)",
    ),
    Rule(
        "payment without a cap",
        "Uncapped Liability",
        r"\b(?:without (?:any |an? )?(?:upper )?|no (?:upper |dollar )?|not subject to any )"
        r"(?:cap|ceiling|maximum|limit)\b(?! (?:of|in) time)",
        beside=(
            r"\b(?:damages?|loss(?:es)?|claims?|fines?|injur(?:y|ies)|injured|hurt|negligence|indemni\w{2,7}|breach\w{0,2}|cost)\b",
            r"\b(?:pays?|owes?|bears?|make good|makes good|answer\w{0,4}|liab\w{2,7}|responsib\w{2,5}|harmless"
            r"|indemni\w{2,7}|applies|apply|covers?)\b",
        ),
        unless=r"\b(?:insurance|coverage|policy)\b",
    ),
    Rule(
        "a limit that does not apply",
        "Uncapped Liability",
        r"\b(?:limit|cap|ceiling|limitations?|exclusions?)\b[^.;]{0,60}\b(?:liabilit(?:y|ies)|damages?)\b[^.;]{0,80}"
        r"\b(?:(?:shall|will|do|does) not|doesn't|don't|won't) apply\b",
    ),
    Rule(
        "liability that nothing limits",
        "Uncapped Liability",
        r"\bnothing\b[^.;]{0,60}\b(?:excludes?|limits?|restricts?|reduces?)\b[^.;]{0,60}\b(?:liability|what we owe)\b"
        r"[^;]{0,80}\b(?:death|personal injury|fraud|negligence|killed|hurt)\b",
    ),
    Rule(
        "liability up to an amount",
        "Cap On Liability",
        r"\bliabilit(?:y|ies)\b[^.;]{0,160}\b(?:not|never|cannot|can't|won't) (?:in (?:any|no) event )?exceed"
        r"|\bin no event\b[^.;]{0,60}\bliability\b[^.;]{0,120}\bexceed"
        r"|\bliabilit(?:y|ies)\b[^.;]{0,80}\b(?:is|are|be|being|stays?) (?:limited|capped|restricted) (?:to|at)\b"
        r"|\bliab(?:le|ility)\b[^.;]{0,60}\b(?:up to|at most|no more than|not more than|more than) "
        rf"[^.;]{{0,20}}(?:{_MONEY}|\d{{3}}|fees?\b|price\b)"
        r"|\bdamages (?:are |is |shall be )?(?:capped|limited) (?:at|to)\b",
        unless=r"liability insurance|insurance (?:policy|coverage)",
    ),
    Rule(
        "damages of at most an amount",
        "Cap On Liability",
        r"\b(?:no more than|not more than|at most|at maximum|max(?:imum|\.)?|limited to|capped at|up to|stops? at)\b",
        beside=(
            r"\b(?:liabilit(?:y|ies)|liable|damages|compensation|responsibilit\w{1,3} (?:for|of)|our fault)\b",
            rf"{_MONEY}|\b(?:fees?|price|charges?|deposit|months?'? (?:fees?|rent)|contract value|paid)\b",
        ),
        unless=r"\b(?:insurance|insured|policy|coverage|liquidated|delay|unlimited|not limited to)\b",
    ),
    Rule(
        "kinds of loss that are not paid",
        "Cap On Liability",
        rf"\b(?:{_SHALL_NOT}|no event|not|n't|no)\b[^.;]{{0,100}}\b(?:liable|liability|responsible|answerable)\b"
        r"[^.;]{0,160}\b(?:indirect|consequential|incidental|punitive|lost profits?|loss(?:es)? of "
        r"(?:profits?|business|data|revenue|goodwill))\b",
    ),
    Rule(
        "no liability at all",
        "Cap On Liability",
        r"\b(?:not|n't|no) (?:be )?(?:held )?(?:liable|responsible|answerable|liability) for (?:any |the |such )?"
        r"(?:loss|damages?|theft|accidents?|injur(?:y|ies))\b",
    ),
    Rule(
        "an amount for each day of delay",
        "Liquidated Damages",
        rf"{_MONEY}[^.;]{{0,40}}\b{_EACH} {_TIME}\b[^.;]{{0,30}}\b(?:of (?:the )?delay|late|overdue|behind)\b"
        rf"|\b(?:delay(?:ed|s)?|late|overdue)\b[^.;]{{0,60}}{_MONEY}[^.;]{{0,30}}\b{_EACH} {_TIME}\b",
        unless=_INTEREST,
    ),
    Rule(
        "a sum for each day of delay",
        "Liquidated Damages",
        r"\b(?:late|delay(?:ed|s)?|overdue|behind schedule|miss(?:es)? the|not (?:finished|ready))\b",
        beside=(
            r"\b(?:for )?(?:per|each|every|an?) (?:\w{2,9} )?(?:day|week|hour)\b",
            rf"{_MONEY}|\b\d{{2,7}} off\b|\b(?:(?:one|two|three|five|ten) per ?cent|an? (?:tenth|quarter|half))\b",
            r"\b(?:pay\w{0,4}|owes?|deduct\w{0,3}|off|costs?|credit\w{0,3}|reduc\w{1,5}|cut\w{0,4}|penalt\w{1,3}"
            r"|loses?|charg\w{1,3})\b",
        ),
        unless=_INTEREST,
    ),
    Rule(
        "a fixed sum instead of proof of loss",
        "Liquidated Damages",
        r"\bas (?:and for |agreed |full )?liquidated damages\b|\bpay\b[^.;]{0,60}\bliquidated damages\b"
        rf"|\bcontract(?:ual)? penalty\b|\bpenalty of {_MONEY}"
        r"|\b(?:cancellation|(?:early )?termination|break-?up|restocking|no-show) (?:fee|charge|penalty) "
        rf"(?:of|equal to|is|amounting to|in the amount of) [^.;]{{0,20}}(?:{_MONEY}|\d)"
        r"|\b(?:early termination|cancellation) (?:fee|charge): ",
    ),
    Rule(
        "insurance that has to be taken out",
        "Insurance",
        rf"\b{_SHALL}\b[^.;]{{0,80}}\b(?:obtain|maintain|carry|take out|keep|procure|effect|purchase|provide)\b"
        r"[^.;]{0,120}\binsurance\b",
        unless=r"\bnot\b|insurance (?:agency|business|company licen|center|policies in)|proof",
    ),
    Rule(
        "an end without a reason",
        "Termination For Convenience",
        r"\b(?:may|can|(?:has|have) the right to|is entitled to|are entitled to)\b(?! not|'t)[^.;]{0,80}"
        r"\b(?:terminate|cancel|end|stop)\b[^.;]{0,100}\b(?:for (?:its |their |his |her )?(?:own )?convenience"
        r"|for any (?:or no )?reason|for no reason|without (?:giving |stating |any )?(?:a |any )?(?:cause|reasons?))\b",
    ),
    Rule(
        "a renewal that happens by itself",
        "Renewal Term",
        r"\b(?:automatically|automatic) (?:be )?(?:renew(?:s|ed|al)?|extend(?:s|ed)?|roll(?:s|ed)? over|prolonged)\b"
        r"|\brenew(?:s|ed)? automatically\b",
        unless=r"\b(?:not|no|n't) (?:be |renew |extend )?(?:automatic|renew)|\bdelays?\b|force majeure",
    ),
    Rule(
        "terms as good as anybody's",
        "Most Favored Nation",
        beside=(r"\b(?:shall|will|must|apply|applies|receives?|grants?|grant|guarantee[sd]?|treat\w{0,3}|supply)\b",),
        wording=r"\bmost[- ]favou?red[- ](?:nations?|customers?|licensees?)\b"
        r"|\bno less favou?rable (?:to \w{2,20} )?than (?:those|the (?:terms|prices?|rates?)) "
        r"[^.;]{0,60}\bany (?:other|third)\b",
    ),
    Rule(
        "no competing",
        "Non-Compete",
        rf"\b{_SHALL_NOT}\b[^.;]{{0,120}}\bcompet(?:e|es|ing) (?:with|against|business)",
        unless=r"\bnon-?exclusive\b",
    ),
    Rule(
        "no soliciting of staff",
        "No-Solicit Of Employees",
        rf"\b(?:{_SHALL_NOT}|refrain from|not)\b[^.;]{{0,120}}"
        r"\b(?:solicit|poach|(?<!for )(?<!the )hir(?:e|ing)|recruit|entic(?:e|ing)|headhunt)"
        r"\b[^.;]{0,100}\b(?:employees?|staff|personnel|workers|team)\b",
    ),
    Rule(
        "no soliciting of customers",
        "No-Solicit Of Customers",
        rf"\b(?:{_SHALL_NOT}|refrain from|not)\b[^.;]{{0,100}}\b(?:solicit|canvass|entic(?:e|ing)|divert|poach)\b"
        r"[^.;]{0,80}\b(?:customers?|clients?|patients)\b",
        unless=r"\b(?:employees?|employment|staff|personnel)\b",
    ),
    Rule(
        "a change of control with consequences",
        "Change Of Control",
        r"\bchange (?:of|in) control\b[^.;]{0,160}\b(?:terminat\w{1,5}|consent|notif\w{1,4}|notice)\b"
        r"|\b(?:terminat\w{1,5}|consent|notif\w{1,4}|notice)\b[^.;]{0,160}\bchange (?:of|in) control\b",
    ),
    Rule(
        "no transfer without consent",
        "Anti-Assignment",
        rf"\b{_SHALL_NOT}\b[^.;]{{0,60}}\b(?:assign|transfer)\b[^.;]{{0,120}}"
        r"\b(?:agreement|contract|lease|rights?|obligations?|duties)\b[^.;]{0,160}"
        r"\b(?:consent|permission|approval|agree(?:s|ment)?)\b"
        r"|\b(?:agreement|contract|lease)\b[^.;]{0,60}\b(?:not|n't) be (?:assigned|transferred)\b",
    ),
    Rule(
        "a share of what is earned",
        "Revenue/Profit Sharing",
        r"\b(?:royalt(?:y|ies)|commission) (?:rate )?(?:of|equal to|at) [^.;]{0,40}(?:%|per ?cent)"
        r"|\d ?(?:%|per ?cent)[^.;]{0,20}\bof (?:the |its |our |your |all )?(?:net|gross) "
        r"(?:sales|revenues?|receipts|profits?|income|proceeds)\b",
    ),
    Rule(
        "a least amount to buy",
        "Minimum Commitment",
        rf"\b{_SHALL}\b[^.;]{{0,40}}\b(?:purchase|buy|order|spend|take)\b[^.;]{{0,60}}"
        r"\b(?:a minimum of|at least|no less than|not less than|no fewer than)\b[^.;]{0,25}\d",
    ),
    Rule(
        "rights that pass to the other side",
        "Ip Ownership Assignment",
        r"\b(?:hereby )?assigns?\b[^.;]{0,100}\b(?:all|the entire) [^.;]{0,40}"
        r"\b(?:copyrights?|patents?|inventions?|intellectual property"
        r"|right, title[^.;]{0,80}\b(?:works?|software|designs?))\b"
        r"|\b(?:shall be|is|are|deemed|considered)\b[^.;]{0,40}\bworks? (?:made )?for hire\b",
        unless=r"\bjoint\b",
    ),
    Rule(
        "a licence that lasts for ever",
        "Irrevocable Or Perpetual License",
        r"\b(?<!not )(?:perpetual|irrevocable|everlasting)\b[^.;]{0,80}\b(?:licen[cs]es?|right to use)\b"
        r"|\blicen[cs]e[^.;]{0,60}\b(?:in perpetuity|is perpetual|is irrevocable)\b",
    ),
    Rule(
        "books that may be inspected",
        "Audit Rights",
        r"\b(?:may|can|right to|entitled to|permit\w{0,4}[^.;]{0,40} to|allow\w{0,3}[^.;]{0,40} to)\b[^.;]{0,60}"
        r"\b(?:audit|inspect|examine)\b[^.;]{0,80}\b(?:books|records|accounts|ledgers)\b",
    ),
    Rule(
        "a claim given up",
        "Covenant Not To Sue",
        rf"\b{_SHALL_NOT} (?:\w{{2,12}} ){{0,4}}(?:challenge|contest|dispute|attack)\b[^.;]{{0,100}}"
        r"\b(?:validity|ownership|title|trade ?marks?|patents?|copyrights?)\b"
        r"|\bcovenants? not to sue\b|\breleases? and forever discharges?\b|\bnot to bring any (?:claim|suit|action)\b",
    ),
    Rule(
        "a warranty with a period",
        "Warranty Duration",
        r"\b(?:warrant(?:s|ed|y)|guarantee[sd]?)\b[^.;]{0,120}\b(?:for|of|is|lasts) "
        r"(?:a period of |one |two |three |five )?"
        r"(?:[\w-]{2,12} )?\(?\d{0,3}\)?-? ?(?:days|months?|years?)\b",
        unless=r"\b(?:bank|guarantor|payment of|minimum)\b",
    ),
)
"""In the order in which a reader is told: of two that hold for one label, the first."""


def rules_fingerprint() -> str:
    """Return a hash of the rules: a result that others gave is not up to date."""
    parts = [[rule.name, rule.label, rule.wording, rule.unless, rule.beside] for rule in RULES]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def labels_by_rule(text: str, rules: Sequence[Rule] = RULES) -> dict[str, str]:
    """Return the labels of a clause that plain wording makes certain, each with the name of its rule."""
    sentences = searched_sentences(text)
    found: dict[str, str] = {}
    for rule in rules:
        if rule.label not in found and any(rule.holds(sentence) for sentence in sentences):
            found[rule.label] = rule.name
    return found


def searched_sentences(text: str) -> list[str]:
    """Return the sentences of a clause, white space folded; a short clause is one."""
    folded = " ".join(text[:MOST_CHARACTERS].split()).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if len(folded) <= SHORT_CHARACTERS:
        return [folded]
    return [folded[start:end] for start, end in sentence_spans(folded, 0, len(folded))]
