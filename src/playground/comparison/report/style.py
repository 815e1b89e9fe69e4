"""The style sheet of the HTML report of a comparison, and the few lines of script that draw its charts."""

REPORT_CSS = """
*,*::before,*::after{box-sizing:border-box}
:root{color-scheme:light dark;--page:#fff;--ink:#16202a;--quiet:#53616e;--rule:#d5dce2;--card:#f5f7f9;--mark:#0b6b4f}
@media (prefers-color-scheme:dark){
:root{--page:#11171d;--ink:#e8edf1;--quiet:#a3b0bb;--rule:#33404b;--card:#1a222a;--mark:#5fd0a8}}
html{font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
background:var(--page);color:var(--ink);-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2rem 2rem 3rem;max-width:88rem}
h1{font-size:1.8rem;line-height:1.25;margin:0 0 .3rem}
h2{font-size:1.4rem;margin:2.4rem 0 .4rem}
h3{font-size:1.1rem;margin:1.8rem 0 .3rem}
p{margin:.35rem 0;max-width:62rem}
.quiet{color:var(--quiet)}
.wide{overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;width:100%;font-size:.95rem}
th,td{text-align:left;vertical-align:top;padding:.45rem 1.1rem .45rem 0;border-bottom:1px solid var(--rule)}
thead th{color:var(--quiet);font-weight:600;vertical-align:bottom}
tbody th{font-weight:650;min-width:9rem;overflow-wrap:anywhere}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.range{display:block;color:var(--quiet);font-size:.84rem}
.dot{display:inline-block;width:.75rem;height:.75rem;border-radius:50%;margin-right:.5rem;vertical-align:baseline}
.small{color:var(--quiet);font-size:.84rem;font-weight:400;display:block}
thead .number,.number .small{white-space:normal}
.measured td{overflow-wrap:anywhere}
.real{color:var(--mark);font-weight:650}
.notes{border-left:4px solid var(--quiet);padding:.2rem 1rem;margin:1rem 0}
.notes li{margin:.25rem 0;overflow-wrap:anywhere}
.chart{background:#fff;color-scheme:light;border:1px solid var(--rule);border-radius:.4rem;margin:1rem 0;padding:.6rem;
min-height:20rem}
.example{border:1px solid var(--rule);border-radius:.4rem;margin:.5rem 0;padding:.5rem .9rem;overflow-wrap:anywhere}
.example summary{cursor:pointer;font-weight:650}
.example blockquote{margin:.6rem 0;padding-left:1rem;border-left:3px solid var(--rule);max-width:62rem}
.answers td{overflow-wrap:normal}
.answers .answer{white-space:pre-line;overflow-wrap:anywhere}
.article td,.assumptions td{overflow-wrap:anywhere;min-width:9rem}
.article td:nth-child(3){width:48%}
.article code{font-size:.84rem}
.verdict.holds strong{color:var(--mark)}
@media (max-width:34rem){body{padding:1.1rem 1rem 2rem}h1{font-size:1.4rem}}
@media print{body{max-width:none;padding:0}.chart,tr{break-inside:avoid}}
"""

DRAW_JS = """
for (const holder of document.querySelectorAll("script[type='application/json'][data-chart]")) {
  const figure = JSON.parse(holder.textContent);
  Plotly.newPlot(holder.dataset.chart, figure.data, figure.layout,
    {responsive: true, displaylogo: false, toImageButtonOptions: {format: "png", scale: 2}});
}
"""
