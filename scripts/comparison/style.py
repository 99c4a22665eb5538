# SPDX-License-Identifier: MIT
#
# How the page looks: dark on light at any width, and on paper. Nothing here
# is told by colour alone.

CSS = """\
:root { color-scheme: light; }
* { box-sizing: border-box; }
body {
    margin: 0 auto; padding: 0 1rem 3rem; max-width: 66rem;
    font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif;
    color: #1a1a1a; background: #fff;
}
h1 { font-size: 1.9rem; line-height: 1.2; margin: 2rem 0 0.3rem; }
h2 { font-size: 1.35rem; line-height: 1.25; margin: 0 0 0.6rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 0.3rem; }
p, li { max-width: 48rem; }
a { color: #0b4f9e; }
section { margin-top: 2.6rem; padding-top: 1.4rem; border-top: 1px solid #ccc; }
ul { margin: 0.4rem 0; padding-left: 1.3rem; }
li { margin: 0.25rem 0; }
.facts, .fine, .how { color: #444; font-size: 0.92rem; }
.facts { margin-top: 0; }
#answer {
    margin-top: 1.4rem; padding: 1.2rem 1.4rem;
    border: 1px solid #0b4f9e; border-left-width: 0.5rem; background: #f4f8fc;
}
.verdict { font-size: 1.3rem; line-height: 1.35; font-weight: 700; margin: 0.4rem 0; }
#notes {
    margin-top: 1.4rem; padding: 0.8rem 1.4rem;
    border: 1px solid #7a5200; border-left-width: 0.5rem; background: #fff9ec;
}
#notes h2 { font-size: 1.05rem; margin: 0; }
nav ul {
    display: flex; flex-wrap: wrap; gap: 0.3rem 1.2rem;
    list-style: none; padding: 0; margin: 1.4rem 0 0;
}
nav li { margin: 0; }
.panels {
    display: grid; gap: 1.2rem;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr));
    margin: 1rem 0;
}
.how.below { grid-column: 1 / -1; margin: 0; }
.how.beside { align-self: center; max-width: 26rem; margin: 0; }
figure { margin: 0; }
figcaption { font-weight: 600; font-size: 0.95rem; margin-bottom: 0.3rem; }
figure svg { display: block; width: 100%; height: auto; }
.scroll { overflow-x: auto; max-width: 100%; }
.scroll:focus-visible { outline: 2px solid #0b4f9e; }
.ladder { margin: 1.6rem 0; }
.ladder svg { min-width: 52rem; }
.ladder pre { margin-top: 0.6rem; }
pre {
    margin: 0; padding: 0.6rem 0.8rem; width: max-content; min-width: 100%;
    background: #f3f3f3; font: 0.82rem/1.5 ui-monospace, "DejaVu Sans Mono",
    Menlo, Consolas, monospace;
}
table { border-collapse: collapse; font-size: 0.88rem; line-height: 1.3; }
caption { text-align: left; font-weight: 700; font-size: 1rem; padding: 0.3rem 0; }
th, td {
    padding: 0.28rem 0.5rem; text-align: right; vertical-align: top;
    border-bottom: 1px solid #ddd; font-variant-numeric: tabular-nums;
}
th[scope=row], .part th { text-align: left; font-weight: 400; }
.part th { font-weight: 600; background: #f3f3f3; }
thead th { border-bottom: 2px solid #333; }
td small { display: block; color: #444; white-space: nowrap; }
td.word { text-align: left; }
table.facts td { text-align: left; }
.tables {
    display: grid; gap: 1.6rem 2rem;
    grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr));
}
.tables table { width: 100%; }
@media (max-width: 30rem) {
    #answer, #notes { padding: 0.8rem 1rem; }
    .verdict { font-size: 1.15rem; }
    h1 { font-size: 1.55rem; }
    th, td { padding: 0.28rem 0.3rem; }
}
@page { size: A4; margin: 15mm; }
@media print {
    :root { font-size: 10pt; }
    body { max-width: none; padding: 0; }
    nav { display: none; }
    a { color: inherit; text-decoration: none; }
    section { margin-top: 1.2rem; padding-top: 0.8rem; }
    h2, h3, figcaption, caption { break-after: avoid; }
    figure, tr, #answer, #notes { break-inside: avoid; }
    .panels { grid-template-columns: 1fr 1fr; }
    .scroll { overflow: visible; }
    .ladder svg { min-width: 0; }
    .ladder svg { max-height: 235mm; }
    .tables { grid-template-columns: 1fr; }
    pre { width: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
    #answer, #notes, pre, .part th { background: none; }
}
"""
