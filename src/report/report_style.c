/* report_style.c -- the page's style sheet.
 *
 * Colours are named once, for light and for dark; arms are told apart by hues
 * that colour-blind readers can tell apart too (after Okabe and Ito), and by
 * dashes.  On paper, backgrounds of bars are printed and nothing is folded. */
#include "report/report_sections.h"

/* One string a rule; long ones go on in the next.
 * NOLINTBEGIN(bugprone-suspicious-missing-comma) */
/* clang-format off */
const char *const REPORT_STYLE[] = {
    ":root{--bg:#fbfaf8;--card:#fff;--ink:#1d2127;--mute:#626a75;--line:#e3e0da;"
    "--grid:#ebe8e2;--shade:#0004;--c0:#59616c;--c1:#8f8474;--c2:#0b6fb8;--c3:#c9650a;--c4:#0a8a68;"
    "--c5:#a2428a;--c6:#8a6d00;--c7:#3f4fb5;--good:#0a7d57;--bad:#b3372a;--unclear:#59616c;"
    "--kept:#2f7fc1;--gone:#d9d3c7;--aside:#e8b85c;--goodbg:#e2f3ec;--badbg:#fae7e3;"
    "--unbg:#eceef0}\n",
    "@media(prefers-color-scheme:dark){\n",
    ":root{--bg:#14171b;--card:#1c2026;--ink:#e6e7e9;--mute:#9aa3ae;--line:#2f353d;"
    "--grid:#272c33;--shade:#fff4;--c0:#aab2bc;--c1:#b8a98f;--c2:#5eb1f0;--c3:#f0a050;--c4:#4cc9a4;"
    "--c5:#e08fcb;--c6:#d8bb4a;--c7:#9aa6ff;--good:#4cc38f;--bad:#f08070;--unclear:#aab2bc;"
    "--kept:#4d9fe0;--gone:#454b54;--aside:#b98a35;--goodbg:#17352a;--badbg:#3c211d;"
    "--unbg:#2a2f36}\n",
    "}\n",
    "*{box-sizing:border-box}\n",
    "html{-webkit-text-size-adjust:100%}\n",
    "body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,"
    "-apple-system,'Segoe UI',Roboto,'Helvetica Neue','DejaVu Sans',sans-serif;"
    "-webkit-print-color-adjust:exact;print-color-adjust:exact}\n",
    ".top,main,nav{max-width:1180px;margin:0 auto;padding:0 20px}\n",
    ".top{padding-top:40px}\n",
    ".kicker{margin:0;color:var(--mute);font-size:13px;letter-spacing:.08em;"
    "text-transform:uppercase}\n",
    "h1{margin:0 0 12px;font-size:34px;line-height:1.15;letter-spacing:-.01em;"
    "overflow-wrap:anywhere}\n",
    "h2{margin:0 0 10px;font-size:23px;letter-spacing:-.005em}\n",
    "h3{margin:26px 0 6px;font-size:17px}\n",
    ".verdict{margin:0 0 22px;padding:14px 18px;border-left:5px solid var(--unclear);"
    "background:var(--unbg);font-size:18px;line-height:1.5;border-radius:0 8px 8px 0;"
    "max-width:980px}\n",
    ".verdict.better{border-color:var(--good);background:var(--goodbg)}\n",
    ".verdict.worse{border-color:var(--bad);background:var(--badbg)}\n",
    ".tiles{display:flex;flex-wrap:wrap;gap:12px}\n",
    ".tile{flex:1 1 190px;background:var(--card);border:1px solid var(--line);"
    "border-radius:10px;padding:12px 14px}\n",
    ".tile>span{display:block;color:var(--mute);font-size:13px}\n",
    ".tile b{display:block;font-size:21px;font-weight:600;"
    "font-variant-numeric:tabular-nums;white-space:nowrap}\n",
    ".tile b span{display:inline;font-size:inherit}\n",
    ".tile small{color:var(--mute);font-size:12.5px}\n",
    ".better{color:var(--good)}\n",
    ".worse{color:var(--bad)}\n",
    ".unclear{color:var(--unclear)}\n",
    ".verdict.better,.verdict.worse,.verdict.unclear{color:var(--ink)}\n",
    "nav{position:sticky;top:0;z-index:2;margin-top:22px;padding-top:9px;"
    "padding-bottom:9px;background:var(--bg);border-bottom:1px solid var(--line);"
    "display:flex;gap:4px 18px;overflow-x:auto;white-space:nowrap;font-size:14.5px}\n",
    "nav a{color:var(--mute);text-decoration:none}\n",
    "nav a:hover,nav a:focus{color:var(--ink);text-decoration:underline}\n",
    "section{margin:34px 0;scroll-margin-top:52px}\n",
    "p{max-width:860px}\n",
    ".note,.mute{color:var(--mute)}\n",
    ".note{font-size:14px}\n",
    ".findings{max-width:900px;padding-left:22px}\n",
    ".findings li{margin:3px 0}\n",
    ".card{background:var(--card);border:1px solid var(--line);border-radius:10px;"
    "margin:12px 0;padding:8px 12px 10px}\n",
    /* shadows at the sides show that a table goes on there */
    ".scroll{overflow-x:auto;scrollbar-width:thin;background:"
    "linear-gradient(to right,var(--card) 30%,transparent) left/32px 100% no-repeat local,"
    "linear-gradient(to left,var(--card) 30%,transparent) right/32px 100% no-repeat local,"
    "radial-gradient(farthest-side at 0 50%,var(--shade),transparent) left/14px 100% no-repeat "
    "scroll,radial-gradient(farthest-side at 100% 50%,var(--shade),transparent) right/14px 100% "
    "no-repeat scroll}\n",
    ".scroll:focus-visible{outline:2px solid var(--c2)}\n",
    ".alert{margin:0 0 14px;padding:10px 16px;border-left:5px solid var(--bad);"
    "background:var(--badbg);overflow-wrap:anywhere}\n",
    ".why{color:var(--mute);font-size:12.5px}\n",
    "table{border-collapse:collapse;width:100%;font-size:14.5px;"
    "font-variant-numeric:tabular-nums}\n",
    ".card figcaption{font-weight:600;font-size:15px;color:var(--ink);padding:4px 8px}\n",
    ".card figcaption .mute,.key{font-weight:400;font-size:13px}\n",
    "th,td{padding:5px 8px;text-align:left;vertical-align:middle;"
    "border-top:1px solid var(--line)}\n",
    "thead th{border-top:0;color:var(--mute);font-weight:500;font-size:13px;"
    "vertical-align:bottom}\n",
    "tbody th{font-weight:500;white-space:nowrap}\n",
    ".n{text-align:right;white-space:nowrap}\n",
    "table.diff td.fig{min-width:230px;width:34%}\n",
    "table.diff td.fig.small{min-width:110px;width:16%}\n",
    "table.diff td.fig.mid{min-width:170px;width:26%}\n",
    ".axisrow td{border-top:0;padding-top:0}\n",
    "table.plain{width:auto;min-width:50%}\n",
    ".tag{display:inline-block;white-space:nowrap;padding:0 8px;border-radius:9px;font-size:12.5px;"
    "line-height:1.55;background:var(--unbg);color:var(--unclear);font-weight:500}\n",
    ".tag.better{background:var(--goodbg);color:var(--good)}\n",
    ".tag.worse{background:var(--badbg);color:var(--bad)}\n",
    ".ival{position:relative;height:20px}\n",
    ".ival i{position:absolute;display:block}\n",
    ".ival .nil{top:-6px;bottom:-6px;width:1px;background:var(--mute);opacity:.6}\n",
    ".ival .span{top:7px;height:6px;border-radius:3px;background:currentColor;opacity:.32;"
    "min-width:2px}\n",
    ".ival .seed{top:7.5px;width:5px;height:5px;margin-left:-2.5px;border-radius:50%;"
    "background:currentColor;opacity:.55}\n",
    ".ival .mean{top:2px;height:16px;width:3px;margin-left:-1.5px;border-radius:1px;"
    "background:currentColor}\n",
    ".axis{position:relative;height:15px;font-size:11.5px;color:var(--mute)}\n",
    ".axis i{position:absolute;left:0;font-style:normal}\n",
    ".axis .end{left:auto;right:0}\n",
    ".axis .at{transform:translateX(-50%)}\n",
    ".bar{display:flex;height:9px;margin:2px 0;border-radius:2px;overflow:hidden}\n",
    ".bar i{display:block}\n",
    ".p0{background:var(--c0)}\n",
    ".p1{background:var(--c1)}\n",
    ".p2{background:var(--c2)}\n",
    ".p3{background:var(--c3)}\n",
    ".kept{background:var(--kept)}\n",
    ".gone{background:var(--gone)}\n",
    ".aside{background:var(--aside)}\n",
    "i.bad{background:var(--bad)}\n",
    ".key i,.swatch{display:inline-block;width:12px;height:9px;border-radius:2px;"
    "margin:0 4px 0 8px}\n",
    ".swatch.out{background:var(--gone)}\n",
    "details.program{background:var(--card);border:1px solid var(--line);border-radius:10px;"
    "margin:8px 0;padding:8px 12px}\n",
    "details.program summary{cursor:pointer;overflow-wrap:anywhere}\n",
    "pre.calls{margin:8px 0;max-height:180px;overflow:auto;font-size:12.5px;"
    "white-space:pre-wrap;overflow-wrap:anywhere}\n",
    "table.beside{table-layout:fixed;font-size:13px}\n",
    "table.beside td{width:50%;white-space:pre-wrap;overflow-wrap:anywhere;"
    "vertical-align:top;padding:2px 8px}\n",
    "table.beside tr.cut td:first-child{background:var(--badbg)}\n",
    "table.beside tr.mended td:first-child{background:var(--badbg)}\n",
    "table.beside tr.mended td:last-child{background:var(--goodbg)}\n",
    "figure{margin:10px 0;min-width:0}\n",
    "figcaption{font-size:14px;color:var(--mute)}\n",
    ".pair svg.fig{max-width:660px}\n",
    ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,470px),1fr));"
    "gap:8px 26px}\n",
    ".legend{font-size:13.5px;display:flex;flex-wrap:wrap;gap:2px 16px;margin:4px 0}\n",
    ".legend svg{width:26px;height:10px;margin-right:6px}\n",
    "svg.fig{display:block;width:100%;max-width:920px;height:auto;overflow:visible}\n",
    "svg.narrow{display:none}\n",
    "svg text{font:12px system-ui,'DejaVu Sans',sans-serif;fill:var(--mute)}\n",
    "svg .strong{fill:var(--ink);font-weight:600}\n",
    ".grid{stroke:var(--grid);fill:none}\n",
    ".zero{stroke:var(--mute);stroke-dasharray:2 3;fill:none}\n",
    ".edge{stroke:var(--ink);stroke-dasharray:4 3;fill:none}\n",
    ".line{fill:none;stroke-width:2;stroke-linejoin:round}\n",
    ".dash{stroke-dasharray:6 4}\n",
    ".band{stroke:none;opacity:.15}\n",
    ".line.c0{stroke:var(--c0)}\n",
    ".line.c1{stroke:var(--c1)}\n",
    ".line.c2{stroke:var(--c2)}\n",
    ".line.c3{stroke:var(--c3)}\n",
    ".line.c4{stroke:var(--c4)}\n",
    ".line.c5{stroke:var(--c5)}\n",
    ".line.c6{stroke:var(--c6)}\n",
    ".line.c7{stroke:var(--c7)}\n",
    ".band.c0,.dot.c0{fill:var(--c0)}\n",
    ".band.c1,.dot.c1{fill:var(--c1)}\n",
    ".band.c2,.dot.c2{fill:var(--c2)}\n",
    ".band.c3,.dot.c3{fill:var(--c3)}\n",
    ".band.c4,.dot.c4{fill:var(--c4)}\n",
    ".band.c5,.dot.c5{fill:var(--c5)}\n",
    ".band.c6,.dot.c6{fill:var(--c6)}\n",
    ".band.c7,.dot.c7{fill:var(--c7)}\n",
    ".bin.out{fill:var(--gone)}\n",
    ".bin.kept{fill:var(--kept)}\n",
    ".cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),"
    "1fr));gap:12px}\n",
    "article.doc{background:var(--card);border:1px solid var(--line);"
    "border-left:4px solid var(--kept);border-radius:4px 8px 8px 4px;padding:8px 12px;"
    "min-width:0}\n",
    "article.doc.gone{border-left-color:var(--bad);background:var(--card)}\n",
    ".doc header{font-size:13px;margin-bottom:4px;overflow-wrap:anywhere}\n",
    "th,td,code,pre,h1,b{unicode-bidi:isolate}\n",
    "pre,code{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;"
    "font-size:12.5px}\n",
    ".doc code{color:var(--mute)}\n",
    ".doc pre{margin:0;max-height:230px;overflow:auto;white-space:pre-wrap;"
    "overflow-wrap:anywhere;unicode-bidi:isolate;font-size:12px;line-height:1.45}\n",
    "pre.code{background:var(--card);border:1px solid var(--line);border-radius:8px;"
    "padding:10px 14px;overflow-x:auto}\n",
    "details.data{margin:8px 0}\n",
    "summary{cursor:pointer;color:var(--mute);font-size:14px}\n",
    "dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,270px),1fr));"
    "gap:2px 20px;font-size:14px;margin:8px 0}\n",
    "dl div{display:flex;justify-content:space-between;gap:12px;"
    "border-bottom:1px dotted var(--line)}\n",
    "dt{color:var(--mute)}\n",
    "dd{margin:0;text-align:right;overflow-wrap:anywhere}\n",
    "@media(max-width:620px){\n",
    ".top,main,nav{padding-left:12px;padding-right:12px}\n",
    ".top{padding-top:22px}\n",
    "h1{font-size:27px}\n",
    ".verdict{font-size:16.5px;padding:12px 14px}\n",
    "svg.wide{display:none}\n",
    "svg.narrow{display:block}\n",
    ".tile{flex-basis:150px}\n",
    ".tile b{white-space:normal;font-size:18px}\n",
    ".card{padding:6px 6px 8px}\n",
    "th,td{padding:5px}\n",
    "table{font-size:13.5px}\n",
    "table.diff td.fig{min-width:120px;width:auto}\n",
    ".axis .near,.small .axis .at{display:none}\n",
    "table.diff td.fig.small{min-width:80px}\n",
    "table.diff td.fig.mid{min-width:110px}\n",
    "}\n",
    "@media print{\n",
    "nav{display:none}\n",
    "body{font-size:11pt;background:#fff}\n",
    "h2,h3{break-after:avoid}\n",
    "figure,tr,article.doc{break-inside:avoid}\n",
    ".doc pre{max-height:none;overflow:visible}\n",
    ".scroll{overflow:visible}\n",
    "}\n",
    NULL,
};
/* clang-format on */
/* NOLINTEND(bugprone-suspicious-missing-comma) */
