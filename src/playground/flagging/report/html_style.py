"""The style sheet of the HTML report, with the colours of the risks filled in."""

from __future__ import annotations

from typing import Literal

from playground.flagging.report.risk_style import RISK_COLOURS, RISK_LINES, RISK_ORDER

_BASE = """
*,*::before,*::after{box-sizing:border-box}
:root{color-scheme:light dark}
html{font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
background:var(--page);color:var(--ink);-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2rem 2rem 3rem;max-width:82rem}
h1{font-size:1.75rem;line-height:1.25;margin:.1rem 0 .4rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.2rem 0 .7rem}
p{margin:.35rem 0}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,input:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.quiet{color:var(--quiet)}
.kicker{font-weight:650;letter-spacing:.02em;color:var(--quiet)}
.advice{border-left:4px solid var(--quiet);padding:.3rem .8rem;margin:1rem 0;max-width:60rem}
.risks{display:flex;flex-wrap:wrap;gap:.7rem;padding:0;margin:.4rem 0 0;border:0}
.risk{display:flex;align-items:center;gap:.5rem;padding:.5rem .8rem;border-radius:.4rem;
border:2px var(--edge) var(--line);background:var(--back);color:var(--text);font-weight:600;cursor:pointer}
.risk .count{font-size:1.35rem;font-variant-numeric:tabular-nums;line-height:1.1}
.risk input{margin:0;accent-color:var(--line)}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:.9rem 0 0}
th,td{text-align:left;vertical-align:top;padding:.4rem .9rem .4rem 0;border-bottom:1px solid var(--rule)}
th{font-weight:600;color:var(--quiet)}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
td.places{min-width:16rem;overflow-wrap:anywhere}
td.places a{display:inline-block;margin-right:.9rem}
.name{font-weight:600}
.tag{display:inline-block;white-space:nowrap;font-size:.8rem;font-weight:650;line-height:1.5;padding:0 .5rem;
border-radius:.3rem;border:1.5px var(--edge) var(--line);background:var(--back);color:var(--text)}
ul.plain{margin:.3rem 0;padding-left:1.2rem}
ul.plain li{margin:.25rem 0;overflow-wrap:anywhere}
.page{display:flex;align-items:center;gap:.8rem;color:var(--quiet);font-size:.82rem;margin:1.1rem 0 .4rem}
.page::after{content:"";flex:1;border-top:1px solid var(--rule)}
.clause{display:grid;grid-template-columns:minmax(0,1fr) 27rem;column-gap:1.6rem;margin:.15rem 0;scroll-margin-top:1rem}
.said{min-width:0;align-self:start;padding:.2rem .8rem;border-left:6px solid transparent}
.words{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext;max-width:52rem}
.clause.heading .words{font-weight:650}
.clause.flagged{margin:.7rem 0}
.clause.flagged .said{position:sticky;top:.6rem}
.clause.flagged .said{border-left:6px var(--mark-line,solid transparent);background:var(--mark-back,transparent);
border-radius:0 .4rem .4rem 0;padding-top:.45rem;padding-bottom:.5rem}
.tags{margin:0 0 .3rem;display:flex;flex-wrap:wrap;gap:.4rem}
.flags{display:flex;flex-direction:column;gap:.6rem;min-width:0}
.flag{border:1px solid var(--rule);border-left:6px var(--edge) var(--line);border-radius:.4rem;
padding:.5rem .75rem .6rem;font-size:.9rem;line-height:1.45;background:var(--card);
overflow-wrap:anywhere;break-inside:avoid;scroll-margin-top:1rem}
.flag:target{outline:3px solid var(--line)}
.flag h3{font-size:1rem;margin:0;line-height:1.35}
.flag .top{display:flex;flex-wrap:wrap;align-items:center;gap:.35rem .6rem;margin:.25rem 0 .35rem}
.flag.rejected h3{text-decoration:line-through}
.flag details{margin-top:.4rem}
.flag summary{cursor:pointer;font-weight:600}
.alike{margin:.45rem 0 0;padding-left:.7rem;border-left:3px solid var(--rule)}
.alike blockquote{margin:0;white-space:pre-wrap;unicode-bidi:plaintext}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1.4rem;margin:0;font-size:.92rem}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere}
@media (max-width:60rem){
body{padding:1.1rem 1rem 2rem}
.clause{grid-template-columns:minmax(0,1fr)}
.clause.flagged .flags{margin:.5rem 0 .6rem 1rem}
.clause.flagged .said{position:static}
td.places{min-width:9rem}
}
@media (max-width:34rem){
h1{font-size:1.4rem}
dl{grid-template-columns:1fr}
dd{margin-bottom:.4rem}
table,tbody{display:block}
thead,td.number{display:none}
tr{display:grid;grid-template-columns:minmax(0,1fr) auto;padding:.4rem 0;border-bottom:1px solid var(--rule)}
td{border:0;padding:.1rem 0}
td.places{grid-column:1/-1;min-width:0}
}
@media print{
@page{margin:15mm}
html{font-size:10.5pt}
body{padding:0;max-width:none}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.clause,.flags{display:block}
.flag{margin-top:.4rem;break-inside:auto}
.flag h3,.flag .top{break-after:avoid}
.clause.flagged .flags{margin:.4rem 0 .6rem 1.2rem}
.clause.flagged .said{position:static;break-inside:avoid;break-after:avoid}
h2,.clause.heading{break-after:avoid}
.risk input,.hint{display:none}
details::details-content{content-visibility:visible;block-size:auto}
.words{max-width:none}
a{color:inherit}
}
"""
_LIGHT = "--page:#ffffff;--card:#ffffff;--ink:#1a2530;--quiet:#55636e;--rule:#d5dde2;--link:#176b75"
_DARK = "--page:#10161b;--card:#161f26;--ink:#e7edf1;--quiet:#a3b1bb;--rule:#33414b;--link:#6cc4cd"


def report_css() -> str:
    """Return the style sheet. Dark colours hold on screens alone: paper is white.

    A clause shows the gravest risk among those whose box is ticked: each risk sets its own variable on the clause,
    unticking sets it back to nothing, and the chain of fall-backs picks the first that is left.
    """
    parts = [f":root{{{_LIGHT}}}", _risk_colours("light")]
    parts.append(f"@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}{_risk_colours('dark')}}}")
    for risk in RISK_ORDER:
        parts.append(
            f".is-{risk}{{--text:var(--{risk}-text);--back:var(--{risk}-back);--line:var(--{risk}-line);"
            f"--edge:{RISK_LINES[risk]}}}"
            f".has-{risk}{{--mark-{risk}:{RISK_LINES[risk]} var(--{risk}-line);--back-{risk}:var(--{risk}-back)}}"
            f"body:has(#show-{risk}:not(:checked)) .has-{risk}{{--mark-{risk}:initial;--back-{risk}:initial}}"
            f"body:has(#show-{risk}:not(:checked)) :is(.flag,.tag,tr).is-{risk}{{display:none}}"
        )
    parts.append(f".clause{{--mark-line:{_first_set('mark')};--mark-back:{_first_set('back')}}}")
    return "".join(parts) + _BASE


def _first_set(kind: Literal["mark", "back"]) -> str:
    chain = "solid transparent" if kind == "mark" else "transparent"
    for risk in reversed(RISK_ORDER):
        chain = f"var(--{kind}-{risk},{chain})"
    return chain


def _risk_colours(theme: Literal["light", "dark"]) -> str:
    names = []
    for risk in RISK_ORDER:
        colours = getattr(RISK_COLOURS[risk], theme)
        names.append(f"--{risk}-text:{colours.text};--{risk}-back:{colours.background};--{risk}-line:{colours.line}")
    return f":root{{{';'.join(names)}}}"
